"""Real processes against real sockets and a real database, killed, frozen and cut off while they work."""
