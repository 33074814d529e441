"""Requests that another replica has to answer: passed on to it, and taken from it."""
