"""record, distil and drift: the commands about real providers."""
