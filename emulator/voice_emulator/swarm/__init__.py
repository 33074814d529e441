"""Finds what nobody thought of: swarm, and reconciliation of bills."""
