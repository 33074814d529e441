"""The pure heart of the emulator: no sockets, no files, no wall clock, no global randomness.

Every instant is an ``int`` of microseconds since the Unix epoch, every span an ``int`` of
microseconds, so that arithmetic is exact and a run on a manual clock repeats byte for byte.
"""
