"""serve: the options, the run until a signal, and what goes on beside it."""
