"""Measurements: ours against the ceiling of bare aiohttp, interleaved in one run. ``make bench``."""
