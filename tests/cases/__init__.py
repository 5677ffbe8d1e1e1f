"""Tests of the cases as work."""
