"""The judge's parts: the evidence, what really happened, and one function for each invariant."""
