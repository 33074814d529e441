"""`python -m voice_emulator` is `voice-emulator`."""

from __future__ import annotations

from voice_emulator.cli import main

if __name__ == "__main__":
    main()
