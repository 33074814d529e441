"""The providers, one folder each. Every folder with a ``PROVIDER`` value is a provider."""
