"""Who may ask: the keys of programs that use the API."""
