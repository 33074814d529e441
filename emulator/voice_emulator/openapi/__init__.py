"""The OpenAPI 3.1 documents of the providers."""
