"""The traffic port: the life of a request."""
