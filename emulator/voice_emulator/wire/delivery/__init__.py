"""Pushes: due, attempted, delivered or not."""
