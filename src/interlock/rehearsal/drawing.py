"""Whether something comes up in a history at all: the first choice of its own stream says so."""

import random

Between = tuple[float, float]
"""From the first to below the second, both within 0 and 1."""


def first_choice_falls(stream: random.Random, *where: Between) -> bool:
    """Whether the first choice of a fresh stream falls into one of these; it is used up by that."""
    choice = stream.random()
    return any(least <= choice < most for least, most in where)
