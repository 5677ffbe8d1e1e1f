"""The link in an alert with which somebody acknowledges it: sealed, for a while, and with nothing about a person in it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from interlock.storage.encryption import Keyring, Undecipherable

VALID_FOR = timedelta(days=3)
_PURPOSE = "acknowledge alert"
_SEALED = re.compile(rf"{_PURPOSE} ([0-9]{{1,18}}) ([0-9]{{1,18}}) ([0-9]{{1,11}})")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for: the row ids of the alert and of the channel its message was sent by."""

    alert_id: int
    channel_id: int


class LinkUnusable(ValueError):
    """A link of an alert that is not ours, was changed, or is too old."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"This link {what}. Nothing was acknowledged. Open the page Alerts in the console, or acknowledge the alert "
            "with `interlock alerts ack`."
        )


def seal(keyring: Keyring, alert_id: int, channel_id: int, now: datetime) -> str:
    """The token of a link for this alert in a message of this channel: encrypted, so that it can be neither read nor made up."""
    until = int((now + VALID_FOR).timestamp())
    return keyring.encrypt(f"{_PURPOSE} {alert_id} {channel_id} {until}".encode()).decode()


def link_of(keyring: Keyring, token: str, now: datetime) -> Link:
    """What a token is for. Raises LinkUnusable."""
    try:
        opened = keyring.decrypt(token.encode()).decode()
    except (Undecipherable, UnicodeError):
        raise LinkUnusable("is not one of ours, or is not whole") from None
    found = _SEALED.fullmatch(opened)
    if found is None:
        raise LinkUnusable("is not for acknowledging an alert")
    until = datetime.fromtimestamp(int(found[3]), UTC)
    if now > until:
        raise LinkUnusable(f"was valid until {until:%Y-%m-%d %H:%M} UTC")
    return Link(int(found[1]), int(found[2]))
