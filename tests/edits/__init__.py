"""What becomes of an edit made in Shopify."""
