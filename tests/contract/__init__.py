"""Checks against documents that the platforms publish."""
