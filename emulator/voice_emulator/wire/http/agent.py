"""The User-Agent of pushes, by which an emulator recognises those of another."""

from __future__ import annotations

AGENT = "voice-emulator"
