"""Interlock keeps Shopify orders and Mirakl marketplace orders locked together."""
