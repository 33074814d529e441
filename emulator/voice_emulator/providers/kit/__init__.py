"""Building blocks for providers, built in or plugged in: each module has one purpose and knows no provider.

* :mod:`~voice_emulator.providers.kit.tables`: operations, receipts, routes and error codes of a provider.
* :mod:`~voice_emulator.providers.kit.access`: attribution by credentials, addresses, secrets, issued ids.
* :mod:`~voice_emulator.providers.kit.problems`: slots for providers with one code for each kind of problem.
* :mod:`~voice_emulator.providers.kit.pushes`: encoding a push as JSON, form or query; acknowledgement by status.
* :mod:`~voice_emulator.providers.kit.replies`: the emulator's own failures, sound files.
* :mod:`~voice_emulator.providers.kit.fields`: reading and renaming fields.
* :mod:`~voice_emulator.providers.kit.audio`: WAV and MP3 recordings.
* :mod:`~voice_emulator.providers.kit.memory`: what an account remembers, within bounds.
* :mod:`~voice_emulator.providers.kit.checks`: checks of settings.
"""
