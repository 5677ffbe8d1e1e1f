"""Seeded histories of the whole service: `python -m tests.simulation --seeds A:B`."""
