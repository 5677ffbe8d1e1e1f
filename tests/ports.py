"""Ports for what has to know its port before it listens, and may have to listen there again later."""

import random
import socket

OURS = range(20_000, 32_000)
"""Below the ports that the system gives to outgoing connections and to whoever asks for any (32768 and up on Linux): one
of those may be taken by a connection between our looking and our listening."""


def free_port() -> int:
    """A port of this machine that nobody uses and the system gives to nobody."""
    for port in random.SystemRandom().sample(OURS, 100):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("A hundred ports were tried, and all of them are taken.")
