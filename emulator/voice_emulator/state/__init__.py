"""State that survives the process: what ``serve --state FILE`` keeps in SQLite, and how it comes back.

Nothing below knows of it. The core and the rim offer places to listen (events, tokens, issued ids, scheduled
pushes, what precedes a reply or a push); :mod:`voice_emulator.state.writer` listens and writes,
:mod:`voice_emulator.state.restore` reads at the next start.
"""
