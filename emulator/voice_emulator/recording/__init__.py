"""Recordings of a real provider: made through a proxy or from logs, distilled into scenarios, compared with the emulator."""
