"""Shopify told: what the Shopify order says to staff and to Shopify Flow about where it stands."""
