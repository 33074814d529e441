"""State that survives the process: what ``serve --state FILE`` keeps in SQLite, and how it comes back.

Nothing below knows of it. The core and the rim offer places to listen (events, tokens, issued ids, scheduled
pushes, what precedes a reply or a push); :mod:`emulator.state.keeping` listens and writes,
:mod:`emulator.state.reviving` reads at the next start.
"""
