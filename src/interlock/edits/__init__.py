"""A Shopify edit becomes marketplace calls, a task, or a decision of a person."""
