"""Tests of the simulated platforms, each citing the reference fact it models."""
