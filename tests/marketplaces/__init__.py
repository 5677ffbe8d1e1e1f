"""What each marketplace allows."""
