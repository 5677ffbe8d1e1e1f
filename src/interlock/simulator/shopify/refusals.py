"""How the platform says no."""

from typing import Any


class Refused(Exception):
    """A business rule refused a change and nothing happened (the `userErrors` of a mutation, reference 4.4).

    `field` is the path the platform reports, `code` the typed code where the mutation has typed errors. People
    acting in the admin get the same exception: the sentence is what they would read on their screen.
    """

    def __init__(self, message: str, field: tuple[str, ...] | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code


class TopLevelRefusal(Exception):
    """An answer with `errors` at the top of the document (reference 4.4); `extensions["code"]` says which."""

    def __init__(self, message: str, code: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = {"code": code, **extensions}


def invalid_id(gid: str) -> TopLevelRefusal:
    """A malformed or foreign id (reference 4.4, 10.2)."""
    return TopLevelRefusal(f"Invalid id: {gid}", "RESOURCE_NOT_FOUND")
