"""The edit desk: a person edits an order from here, and both platforms follow in one visible sequence."""
