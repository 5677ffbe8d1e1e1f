"""The requests about personal data as a list: filtered by its address, the oldest first."""

from collections.abc import Sequence

from interlock.access.erasures import PrivacyRequest
from interlock.console.export import Cell
from interlock.console.lists import Asked, known

OWN_FILTERS = ("shop", "state")
STATES = ("waiting", "answered")
COLUMNS = ("number", "shop", "asks for", "asked at", "answer by", "answered at", "answered by")


def shops_of(requests: Sequence[PrivacyRequest]) -> tuple[str, ...]:
    """The shops that asked: what the list may be filtered by."""
    return tuple(sorted({one.shop for one in requests}))


def requests_asked_for(requests: Sequence[PrivacyRequest], asked: Asked) -> list[PrivacyRequest]:
    """Those of the requests that a list's address asks for. Raises FilterUnknown."""
    shop = known("shop", asked.other("shop"), shops_of(requests))
    state = known("state", asked.other("state"), STATES)
    return [
        one
        for one in requests
        if (not shop or one.shop == shop) and (not state or (one.done_at is None) == (state == "waiting"))
    ]


def file_row(one: PrivacyRequest) -> Sequence[Cell]:
    """One request as the file has it: nobody is named."""
    return (one.id, one.shop, one.topic, one.asked_at, one.due_at, one.done_at, one.done_by)
