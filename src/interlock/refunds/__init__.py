"""A refund made in Shopify becomes a task that closes on marketplace evidence."""
