"""The control API as a document: the schemas of its requests and replies, and OpenAPI."""
