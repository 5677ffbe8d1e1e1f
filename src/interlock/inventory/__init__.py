"""What may be offered: the target of each offer, what was published, and how far the two are apart."""
