"""When an export of a connection's offers is asked for, which one, and when one that cannot be read is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

WHOLE_EVERY = timedelta(hours=24)
CHANGES_EVERY = timedelta(minutes=5)
PENDING_FOR = timedelta(hours=2)
"""So long an export may be pending; after that another one is asked for."""
OVERLAP = timedelta(minutes=10)
"""How far a differential export reaches back before the last read: clocks differ, and a change may show late."""

Wanted = Literal["whole", "changes"]
Failure = Literal["unavailable", "refused", "unreadable"]
"""Why a read gave nothing: the marketplace could not answer now, said no, or answered with what is no answer."""


@dataclass(frozen=True, slots=True)
class OfferRead:
    """Where the reading of a connection's offers is. `tracking_id` is of the export that was asked for at `asked_at` and
    is not read yet (empty for none); `read_at` is when the marketplace was asked for what is known now. Nothing is asked
    for before `not_before`, and not for all offers before `whole_not_before`."""

    tracking_id: str = ""
    asked_at: datetime | None = None
    whole: bool = False
    last_tracking_id: str = ""
    read_at: datetime | None = None
    read_whole_at: datetime | None = None
    wanted_at: datetime | None = None
    not_before: datetime | None = None
    whole_not_before: datetime | None = None


def wanted_read(read: OfferRead, now: datetime) -> Wanted | None:
    """Which export is to be asked for now (OF52: all offers once a day, what changed at most every five minutes).

    While all offers are owed and may not be asked for yet, what changed is: it has a ceiling of its own."""
    if read.not_before is not None and now < read.not_before:
        return None
    owed = read.read_whole_at is None or now - read.read_whole_at >= WHOLE_EVERY
    if owed and (read.whole_not_before is None or now >= read.whole_not_before):
        return "whole"
    waited_for = read.wanted_at is not None and (read.read_at is None or read.wanted_at > read.read_at)
    old = read.read_at is None or now - read.read_at >= WHOLE_EVERY
    if not waited_for and not old:
        return None
    if read.asked_at is not None and now - read.asked_at < CHANGES_EVERY:
        return None
    return "changes"


def changed_since(read: OfferRead, now: datetime) -> datetime:
    """From when on a differential export shows what changed: since shortly before the last read. Where nothing was read
    yet it reaches a day back, as long as all offers may have to be waited for."""
    return (read.read_at or now - WHOLE_EVERY) - OVERLAP


def put_off(whole: bool, now: datetime, wait: timedelta) -> dict[str, datetime]:
    """What is kept of a reading that did not come about, by column: an export like it is asked for again after `wait`. One
    of all offers may have to wait for a day, so what changed is asked for meanwhile."""
    if not whole:
        return {"not_before": now + wait}
    return {"whole_not_before": now + wait, "not_before": now + min(wait, CHANGES_EVERY)}


def pending_too_long(read: OfferRead, now: datetime) -> bool:
    """Whether the export that was asked for should have been there by now."""
    return read.asked_at is None or now - read.asked_at >= PENDING_FOR


def given_up(read: OfferRead, failure: Failure, now: datetime) -> bool:
    """Whether an export that could not be read is asked for anew; otherwise it is looked at again. One of all offers may be
    asked for once a day (OF52): an answer to it that was cut off does not end it."""
    match failure:
        case "unavailable":
            return False
        case "refused":
            return True
        case "unreadable":
            return not read.whole or pending_too_long(read, now)
