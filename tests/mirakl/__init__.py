"""Tests of the adapter to Mirakl marketplaces."""
