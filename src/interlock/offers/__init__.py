"""Which product of the shop stands behind each offer of a marketplace."""
