"""The providers, a folder each. A folder with a ``PROVIDER`` value is all a provider is."""
