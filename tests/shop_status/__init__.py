"""Tests of what the Shopify order says to staff."""
