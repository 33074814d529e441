"""Receiver conformance: what to send to a customer's receiver, and how to judge what comes back.

Nothing in here touches a socket: a check plans letters, somebody carries them
(:mod:`emulator.wire.conformance`), and the check judges the answers.
"""
