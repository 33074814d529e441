"""HTTP for both ports: serving, connection limits, writing responses, TLS."""
