"""A new marketplace order becomes exactly one Shopify order: eligibility, lines to the cent, claim, links."""
