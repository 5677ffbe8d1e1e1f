"""When an export of a connection's offers is asked for, which one, and when one that cannot be read is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

WHOLE_EVERY = timedelta(hours=24)
CHANGES_EVERY = timedelta(minutes=5)
PENDING_FOR = timedelta(hours=2)
"""So long an export may be pending; after that another one is asked for."""

Wanted = Literal["whole", "changes"]
Failure = Literal["unavailable", "refused", "unreadable"]
"""Why a read gave nothing: the marketplace could not answer now, said no, or answered with what is no answer."""


@dataclass(frozen=True, slots=True)
class OfferRead:
    """Where the reading of a connection's offers is. `tracking_id` is of the export that was asked for at `asked_at` and
    is not read yet (empty for none); `read_at` is when the marketplace was asked for what is known now."""

    tracking_id: str = ""
    asked_at: datetime | None = None
    whole: bool = False
    last_tracking_id: str = ""
    read_at: datetime | None = None
    read_whole_at: datetime | None = None
    wanted_at: datetime | None = None
    not_before: datetime | None = None


def wanted_read(read: OfferRead, now: datetime) -> Wanted | None:
    """Which export is to be asked for now (OF52: all offers once a day, what changed at most every five minutes)."""
    if read.not_before is not None and now < read.not_before:
        return None
    if read.read_whole_at is None or now - read.read_whole_at >= WHOLE_EVERY:
        return "whole"
    fresh = read.wanted_at is None or (read.read_at is not None and read.wanted_at <= read.read_at)
    if fresh or (read.asked_at is not None and now - read.asked_at < CHANGES_EVERY):
        return None
    return "changes"


def pending_too_long(read: OfferRead, now: datetime) -> bool:
    """Whether the export that was asked for should have been there by now."""
    return read.asked_at is None or now - read.asked_at >= PENDING_FOR


def given_up(read: OfferRead, failure: Failure, now: datetime) -> bool:
    """Whether an export that could not be read is asked for anew; otherwise it is looked at again. One of all offers may be
    asked for once a day (OF52), and until one was read nothing else is: an answer to it that was cut off does not end it."""
    match failure:
        case "unavailable":
            return False
        case "refused":
            return True
        case "unreadable":
            return not read.whole or pending_too_long(read, now)
