"""JSON Schema: loading, validating, explaining."""
