"""How refunds become tasks, and when these close."""
