"""The demo: an emulator, a receiver and a client of all three providers in one process."""
