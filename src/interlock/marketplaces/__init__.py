"""What each marketplace allows: read, set, or learnt from what it did; and what follows from it."""
