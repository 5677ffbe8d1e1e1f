"""Tables of the quarantine: when it began and who ended it, and the mark this database last saw in each shop."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Identity,
    Index,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.quarantine.decide import KeptMark
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

quarantines = Table(
    "quarantines",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("because", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    Column("ended_why", Text),
    Index("uq_quarantines_open", text("(1)"), unique=True, postgresql_where=text("ended_at IS NULL")),
)

instance_marks = Table(
    "instance_marks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("mark", Text, nullable=False, server_default=""),
    Column("sent", JSONB, nullable=False, server_default="[]"),
    Column("adopt", Boolean, nullable=False, server_default=false()),
    Column("moved_at", UtcDateTime),
    # a worker is comparing or moving the mark until then, or it is not tried again before
    Column("busy_until", UtcDateTime),
)

IN_QUARANTINE = exists(select(quarantines.c.id).where(quarantines.c.ended_at.is_(None)))
"""True in a statement while a quarantine is open."""

_ADD_CLAIM = upsert(instance_marks).values(
    account=bindparam("of_account"), busy_until=bindparam("until", type_=UtcDateTime)
)
_FREE = instance_marks.c.busy_until.is_(None) | (instance_marks.c.busy_until <= bindparam("now"))
# A time that has not come yet proves nothing: it is another clock's.
_DUE = or_(
    instance_marks.c.moved_at.is_(None),
    instance_marks.c.moved_at <= bindparam("moved_before"),
    instance_marks.c.moved_at > bindparam("now"),
)
_CLAIM, _CLAIM_WHEN_DUE = (
    _ADD_CLAIM.on_conflict_do_update(
        index_elements=["account"], set_={"busy_until": _ADD_CLAIM.excluded["busy_until"]}, where=where
    ).returning(instance_marks.c.mark, instance_marks.c.sent, instance_marks.c.adopt)
    for where in (_FREE, and_(_FREE, _DUE))
)
_KEPT_MARK = select(instance_marks).where(instance_marks.c.account == bindparam("of_account"))
_LATEST = select(quarantines).order_by(quarantines.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One quarantine. It is open while `ended_at` is None."""

    began_at: datetime
    because: str
    ended_at: datetime | None
    ended_by: str
    ended_why: str

    @property
    def open(self) -> bool:
        return self.ended_at is None


def latest(c: Connection) -> Quarantine | None:
    """The present or the last quarantine; None when there never was one."""
    row = c.execute(_LATEST).one_or_none()
    if row is None:
        return None
    return Quarantine(row.began_at, row.because, row.ended_at, row.ended_by or "", row.ended_why or "")


def in_quarantine(c: Connection) -> bool:
    """Whether nothing may be written to any platform."""
    return bool(c.execute(select(IN_QUARANTINE)).scalar_one())


def begin(c: Connection, because: str, now: datetime) -> bool:
    """Open a quarantine. False when one is open already; of two at once, one is."""
    done = c.execute(
        upsert(quarantines)
        .values(began_at=now, because=because)
        .on_conflict_do_nothing(index_elements=[text("(1)")], index_where=quarantines.c.ended_at.is_(None))
        .returning(quarantines.c.id)
    ).one_or_none()
    return done is not None


def end(c: Connection, who: str, why: str, now: datetime) -> bool:
    """End the open quarantine in somebody's name; this database then goes on as the one that writes. False when none
    is open."""
    done = c.execute(
        update(quarantines)
        .where(quarantines.c.ended_at.is_(None))
        .values(ended_at=now, ended_by=who, ended_why=why)
    )
    if done.rowcount:
        c.execute(update(instance_marks).values(adopt=True))
    return bool(done.rowcount)


def claim(
    c: Connection, account: str, now: datetime, until: datetime, unless_moved_since: datetime | None = None
) -> KeptMark | None:
    """Become the one who compares and moves this account's mark, and hear what is remembered of it. None while another
    worker does, before it is tried again, or when one moved it after `unless_moved_since`."""
    given = {"of_account": account, "now": now, "until": until}
    if unless_moved_since is None:
        row = c.execute(_CLAIM, given).one_or_none()
    else:
        row = c.execute(_CLAIM_WHEN_DUE, {**given, "moved_before": unless_moved_since}).one_or_none()
    return None if row is None else KeptMark(row.mark, tuple(row.sent), row.adopt)


def give_back(c: Connection, account: str, not_before: datetime | None = None) -> None:
    """Let any worker compare the mark, none `not_before` that time."""
    c.execute(update(instance_marks).where(instance_marks.c.account == account).values(busy_until=not_before))


def kept_mark(c: Connection, account: str) -> KeptMark:
    """What is remembered of the mark in the shop of this account."""
    row = c.execute(_KEPT_MARK, {"of_account": account}).one_or_none()
    return KeptMark() if row is None else KeptMark(row.mark, tuple(row.sent), row.adopt)


def mark_leaves(c: Connection, account: str, mark: str) -> None:
    """This mark is about to be sent; until it is seen, or known to be refused, the shop may show it."""
    longer = instance_marks.c.sent.concat(cast([mark], JSONB))
    c.execute(update(instance_marks).where(instance_marks.c.account == account).values(sent=longer))


def mark_refused(c: Connection, account: str, mark: str) -> None:
    """This mark was certainly not written."""
    without = instance_marks.c.sent.op("-", return_type=JSONB)(mark)
    c.execute(update(instance_marks).where(instance_marks.c.account == account).values(sent=without))


def mark_confirmed(c: Connection, account: str, mark: str, now: datetime) -> None:
    """The shop showed this mark when it was set, so what was sent before can no longer replace it: each was to replace an
    older one. What was sent after it still may. Nothing is taken from a worker that slept over its answer: a later mark
    was confirmed meanwhile."""
    of_account = instance_marks.c.account == account
    sent = c.execute(select(instance_marks.c.sent).where(of_account).with_for_update()).scalar_one_or_none()
    if sent is None or mark not in sent:
        return
    later = list(sent)[list(sent).index(mark) + 1 :]
    c.execute(
        update(instance_marks).where(of_account).values(mark=mark, sent=later, adopt=False, moved_at=now)
    )
