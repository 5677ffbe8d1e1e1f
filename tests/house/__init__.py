"""Tests of the house itself: words, layers, settings, clock, logs, the generated pages."""
