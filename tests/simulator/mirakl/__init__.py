"""Tests of the simulated marketplace, each citing the reference fact it models."""
