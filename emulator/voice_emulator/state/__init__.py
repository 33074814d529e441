"""State that survives the process: what ``serve --state FILE`` keeps in SQLite, and how it comes back.

Nothing below depends on it: :mod:`voice_emulator.state.writer` is a listener that writes what happens,
:mod:`voice_emulator.state.restore` reads it at the next start.
"""
