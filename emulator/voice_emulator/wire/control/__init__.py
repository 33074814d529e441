"""The control port: the API, the page's files, metrics."""
