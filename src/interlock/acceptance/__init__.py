"""Inside the marketplace's window, or someone is told: the window, its rungs, and the answer (OR21)."""
