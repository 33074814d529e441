"""Receiver conformance: what to send to a customer's receiver, and how to judge what comes back.

Nothing here opens a connection: a check plans pushes, :mod:`voice_emulator.wire.delivery.grader` sends them, and the
check judges the replies.
"""
