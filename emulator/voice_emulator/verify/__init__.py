"""Receiver conformance: what to send to a customer's receiver, and how to judge what comes back.

Nothing in here touches a socket: a check plans letters, somebody carries them
(:mod:`voice_emulator.wire.delivery.grader`), and the check judges the answers.
"""
