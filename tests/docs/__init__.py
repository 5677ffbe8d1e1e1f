"""The documentation is true to the code."""
