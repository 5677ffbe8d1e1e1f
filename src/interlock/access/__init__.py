"""Who may do what: people and their roles, sessions, the keys of programs, and the log of what was done."""
