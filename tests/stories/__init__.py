"""One story for each failure the product exists for, end to end on virtual time."""
