"""A new Shopify order may take over a marketplace order. For now: noticing that one might."""
