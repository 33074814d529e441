"""The conformance suite: what any provider, built in or plugged in, must pass.

``pytest --pyargs voice_emulator.conformance --voice-emulator-provider ID`` runs it on one provider; without the option it
runs on all that are installed. ``--voice-emulator-write-golden`` writes the golden files instead of comparing with them.
"""
