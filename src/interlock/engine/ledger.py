"""The operation ledger: every write to a platform is committed here before it leaves, and ends in one of four ways.

PLANNED, IN_FLIGHT, then CONFIRMED, REJECTED or UNKNOWN. UNKNOWN is read back before anything is sent again;
what may be sent again, and when, depends on the action's call class.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from interlock.clock import Identifiers
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    AskServiceToStop,
    CancelShopifyOrder,
    ConnectionAction,
    CreateOrder,
    PlaceHold,
    RefundLines,
    SendMessage,
    SetSellerReference,
    ShipmentAction,
    TellsTracking,
)
from interlock.orders.codec import decode, encode
from interlock.orders.memory import Decision
from interlock.orders.outcomes import (
    Confirmed,
    OperationState,
    Outcome,
    Refused,
    Unavailable,
    Unknown,
)
from interlock.orders.plan import earliest, latest
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import ENDED, MiraklOrder
from interlock.orders.store import still_mine
from interlock.orders.targets import is_reached
from interlock.orders.view import OpenOperation, RefundMade, View
from interlock.quarantine.store import IN_QUARANTINE
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    # null for what is done for a connection as a whole
    Column("order_id", BigInteger, ForeignKey("orders.id")),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("call_class", Text, nullable=False),
    Column("action", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    # the latest answer "send it again" that was acted upon: each of them sends once, whatever the clocks say
    Column("asked_again_at", UtcDateTime),
    Column("code", Text, nullable=False, server_default=""),
    Column("words", Text, nullable=False, server_default=""),
    Column("facts", JSONB, nullable=False, server_default="[]"),
    # set when the row no longer matters to any decision
    Column("done_at", UtcDateTime),
    Index("ix_operations_planned_at", "planned_at", postgresql_using="brin"),
    Index("ix_operations_open", "order_id", postgresql_where=text("done_at IS NULL")),
    Index("ix_operations_order_id", "order_id", "digest"),
)

CREATING = ("CreateDraft", "CompleteDraft", "CreateOrder")
REMEMBERED = (*CREATING, "RefundLines", "SendMessage")
"""Kinds whose rows matter to a decision long after they ended."""
TRACKING = ("SetTracking", "CreateShipment", "TrackShipment")
"""Kinds whose rows say what the marketplace was told of a parcel; they go with the other rows of an old order."""

# Statements that run all day are built once: building one takes longer than running it.
_OF_ORDER = operations.c.order_id == bindparam("of_order")
_IN_FLIGHT_IS_UNCLEAR = (
    update(operations)
    .where(
        _OF_ORDER,
        operations.c.state == "IN_FLIGHT",
        operations.c.epoch < bindparam("new_epoch"),
        operations.c.kind != "SetSellerReference",
    )
    .values(
        state="UNKNOWN",
        ended_at=bindparam("now"),
        code="worker_gone",
        words="the worker that sent it is gone",
    )
)
_OPEN = (
    select(operations)
    .where(_OF_ORDER, operations.c.done_at.is_(None))
    .order_by(operations.c.planned_at, operations.c.id)
)
_REMEMBERED = (
    select(operations)
    .where(_OF_ORDER, or_(operations.c.done_at.is_(None), operations.c.kind.in_((*REMEMBERED, *TRACKING))))
    .order_by(operations.c.planned_at, operations.c.id)
)
_PLANNED_REFERENCES = (
    select(operations)
    .where(
        operations.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
        operations.c.kind == "SetSellerReference",
        operations.c.done_at.is_(None),
        operations.c.state.in_(("PLANNED", "UNKNOWN")),
        (operations.c.not_before.is_(None)) | (operations.c.not_before <= bindparam("now")),
    )
    .order_by(operations.c.planned_at, operations.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_REFERENCES_LEFT_BEHIND = (
    update(operations)
    .where(
        operations.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
        operations.c.kind == "SetSellerReference",
        operations.c.state == "IN_FLIGHT",
        operations.c.done_at.is_(None),
        operations.c.sent_at < bindparam("before"),
    )
    .values(state="PLANNED")
)

_OPEN_REFERENCES = select(
    exists().where(
        operations.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
        operations.c.kind == "SetSellerReference",
        operations.c.done_at.is_(None),
        operations.c.state != "REJECTED",
    )
)

ACTION: Any = Action
RETRY_REFUSED_AFTER = timedelta(minutes=15)
RETRY_REFUSED_TIMES = 4
UNKNOWN_CLASS_D_LIMIT = 2
# No bound is documented for the index behind look-ups by marker: "seconds to minutes" (Shopify reference 5.1, 5.5).
# A second draft is found and deleted later; a second order would be a second parcel.
LOOKED_FOR = timedelta(minutes=10)
SHOPIFY_JOB_TAKES = timedelta(seconds=30)
CLOCKS_AGREE_WITHIN = timedelta(milliseconds=250)
"""How far the clocks of two workers may differ: each follows the database's to within half a round trip. Only by more than
that is what one worker read younger than what another one wrote."""


@dataclass(frozen=True, slots=True)
class ToSend:
    """An operation whose turn it is. `reference` travels with the call: operation id, attempt and epoch.
    `asked_again_at` is the answer of a person that sends it once more."""

    id: str
    action: Action
    attempt: int
    epoch: int
    asked_again_at: datetime | None = None

    @property
    def reference(self) -> str:
        return f"{self.id}.{self.attempt}.{self.epoch}"


@dataclass(frozen=True, slots=True)
class ToSendForConnection:
    """A call for a connection as a whole whose intent is committed. `reference` travels with it."""

    id: str
    action: ConnectionAction
    attempt: int
    epoch: int

    @property
    def reference(self) -> str:
        return f"{self.id}.{self.attempt}.{self.epoch}"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a plan means for the ledger: what to send now, when to come back, and which snapshot is wanted. `settled` says
    that a call the plan still took for unclear is settled now, so that it has to be decided again."""

    send: tuple[ToSend, ...] = ()
    look_at: datetime | None = None
    mirakl_since: datetime | None = None
    unclear: tuple[OpenOperation, ...] = ()
    sentences: tuple[str, ...] = ()
    settled: bool = False


def digest_of(action: Action | ConnectionAction) -> str:
    """A stable fingerprint of the action's target."""
    canonical = json.dumps(encode(action), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()


def everything_in_flight_is_unclear(c: Connection, order_id: int, epoch: int, now: datetime) -> int:
    """A new epoch begins: whatever an earlier one left in flight has an unclear outcome from now on."""
    done = c.execute(_IN_FLIGHT_IS_UNCLEAR, {"of_order": order_id, "new_epoch": epoch, "now": now})
    return int(done.rowcount)


_WROTE_TO_SHOPIFY = select(
    exists().where(
        operations.c.order_id == bindparam("of_order"),
        operations.c.platform == "shopify",
        operations.c.sent_at >= bindparam("since"),
    )
)


def wrote_to_shopify(c: Connection, order_id: int, since: datetime) -> bool:
    """Whether a write of ours to this order's shop left since then."""
    return bool(c.execute(_WROTE_TO_SHOPIFY, {"of_order": order_id, "since": since}).scalar_one())


_CREATION_IS_UNCLEAR = select(
    exists().where(
        operations.c.order_id == bindparam("of_order"),
        operations.c.done_at.is_(None),
        operations.c.kind == "CreateOrder",
        or_(
            operations.c.state == "UNKNOWN",
            and_(operations.c.state == "REJECTED", operations.c.code == "TAKEN"),
        ),
    )
)


def creation_is_unclear(c: Connection, order_id: int) -> bool:
    """Whether nobody knows if Shopify made this order (orderCreate), or it said that our marker is taken: then an earlier
    attempt has made it, and it will show."""
    return bool(c.execute(_CREATION_IS_UNCLEAR, {"of_order": order_id}).scalar_one())


def everything_open_is_unclear(c: Connection, now: datetime) -> int:
    """A quarantine begins: a row that says "not sent yet" proves nothing in a database that may be an old copy."""
    done = c.execute(
        update(operations)
        .where(operations.c.done_at.is_(None), operations.c.state.in_(("PLANNED", "IN_FLIGHT")))
        .values(
            state="UNKNOWN",
            ended_at=now,
            not_before=None,
            code="quarantine",
            words="whether it was sent is not known to this copy of the database",
        )
    )
    return int(done.rowcount)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the ledger has to say to the next decision about one order.

    `open` are the rows that still matter, oldest first; `learnt` the facts that confirmed creations brought, the latest
    winning (draft_id and the like); `unclear` the kinds of creation of which a call ever ended unclear, so that the shop
    may hold something we do not know of; `refunds_made` our own refunds that the marketplace confirmed (OR28), oldest
    first; `messages_sent` the text ids of messages that it took (OR43): none is wanted twice; `trackings_told` the trackings
    that it took (OR23, ST01, ST23), oldest first.
    """

    open: tuple[OpenOperation, ...]
    learnt: dict[str, str]
    unclear: frozenset[str]
    refunds_made: tuple[RefundMade, ...]
    messages_sent: tuple[str, ...]
    trackings_told: tuple[TellsTracking, ...]


def remembered(c: Connection, order_id: int) -> Remembered:
    """Read what matters of this order's ledger."""
    rows = c.execute(_REMEMBERED, {"of_order": order_id}).all()
    confirmed = sorted(
        (row for row in rows if row.state == "CONFIRMED" and row.kind in (*REMEMBERED, *TRACKING)),
        key=lambda row: (row.ended_at, row.id),
    )
    facts: dict[str, str] = {}
    refunds: list[RefundMade] = []
    messages: list[str] = []
    trackings: list[TellsTracking] = []
    for row in confirmed:
        if row.kind in CREATING:
            facts.update({name: value for name, value in row.facts})
            continue
        action: Action = decode(ACTION, row.action)
        if isinstance(action, RefundLines):
            named = tuple((name.removeprefix("refund_id:"), value) for name, value in row.facts)
            refunds.append(RefundMade(action, row.ended_at, named))
        elif isinstance(action, SendMessage):
            messages.append(action.text_id)
        elif isinstance(action, TellsTracking):
            trackings.append(action)
    return Remembered(
        open=tuple(_as_open(row) for row in rows if row.done_at is None),
        learnt=facts,
        unclear=frozenset(
            row.kind for row in rows if row.kind in CREATING and row.attempt and row.state != "CONFIRMED"
        ),
        refunds_made=tuple(refunds),
        messages_sent=tuple(messages),
        trackings_told=tuple(trackings),
    )


def _as_open(row: Row[Any]) -> OpenOperation:
    return OpenOperation(
        id=row.id,
        action=decode(ACTION, row.action),
        state=row.state,
        attempt=row.attempt,
        planned_at=row.planned_at,
        ended_at=row.ended_at,
        code=row.code,
        words=row.words,
        asked_again_at=row.asked_again_at,
    )


def reconcile(
    c: Connection,
    order_id: int,
    connection_id: int,
    epoch: int,
    view: View,
    wanted: Sequence[Action],
    now: datetime,
    identifiers: Identifiers,
    whole: bool = True,
    decisions: Sequence[Decision] = (),
) -> Reconciled:
    """Make the ledger say what the plan wants, and find what may be sent now.

    `whole` is false when `wanted` is only part of what a plan would want (a platform could not be read, or the
    order is parked): then nothing is concluded from an action that is missing. `decisions` are what people
    answered, for those who said "send it again".
    One row per target. A target that is no longer wanted leaves the ledger: unsent ones are dropped, unclear ones
    are settled by what the snapshots show. Never sends class C or D beside an unclear one on the same platform.
    """
    rows = c.execute(_OPEN, {"of_order": order_id}).all()
    by_digest = {row.digest: row for row in rows}
    result = Reconciled()
    by_wanted = {digest_of(action): action for action in wanted}
    # First what is not wanted any more: an unclear call that is settled by it stands in nothing's way.
    dropped = [row for row in rows if whole and row.digest not in by_wanted]
    for row in dropped:
        result = _let_go(c, row, view, now, result)
    if any(_is_unclear(row) for row in dropped):
        rows = c.execute(_OPEN, {"of_order": order_id}).all()
    unsettled = {row.platform for row in rows if _is_unclear(row)}
    for digest, action in by_wanted.items():
        known = by_digest.get(digest)
        if known is not None:
            result = _go_on(known, action, view, epoch, now, decisions, result)
            continue
        stale = _confirmed_since_snapshot(c, order_id, digest, action, view)
        if stale is not None:
            if action.platform == "mirakl":
                result = replace(result, mirakl_since=latest(result.mirakl_since, stale))
            continue
        job_until = _job_until(c, order_id, digest, action, now)
        if job_until is not None:
            result = _later(result, job_until)
            continue
        if action.call_class in ("C", "D") and action.platform in unsettled:
            # one ambiguous write at a time: the unclear one has to be settled first
            continue
        operation_id = identifiers.new_id()
        c.execute(
            insert(operations).values(
                id=operation_id,
                order_id=order_id,
                connection_id=connection_id,
                epoch=epoch,
                kind=type(action).__name__,
                platform=action.platform,
                call_class=action.call_class,
                action=encode(action),
                digest=digest,
                state="PLANNED",
                planned_at=now,
            )
        )
        if not isinstance(action, SetSellerReference):
            result = _send(result, ToSend(operation_id, action, 1, epoch))
    return result


def _is_unclear(row: Row[Any]) -> bool:
    """Whether nobody knows of a call that must not be made twice whether it was made."""
    return row.state in ("UNKNOWN", "IN_FLIGHT") and row.call_class in ("C", "D")


def _send(result: Reconciled, operation: ToSend) -> Reconciled:
    return replace(result, send=(*result.send, operation))


def _later(result: Reconciled, when: datetime) -> Reconciled:
    return replace(result, look_at=earliest(result.look_at, when))


def settle_of(action: Action, view: View) -> timedelta:
    """How long an unclear outcome is left alone before the platforms are believed about it."""
    if isinstance(action, CreateOrder):
        return max(view.rules.settle, LOOKED_FOR)
    return view.rules.settle


def _most_unclear_attempts(action: Action) -> int:
    """How often a class D call may end unclear before a person decides. A message cannot be read back at all, and a
    refund that only became a request is not shown (Mirakl reference, OR28): neither is ever repeated by itself."""
    return 1 if isinstance(action, (RefundLines, SendMessage)) else UNKNOWN_CLASS_D_LIMIT


def _may_resend_unclear_at_once(action: Action) -> bool:
    """Holds carry a handle and OR21 guards itself by the order's state: neither waits for the settle window."""
    return action.call_class == "A" or isinstance(action, AnswerAcceptance)


def _go_on(
    row: Row[Any],
    action: Action,
    view: View,
    epoch: int,
    now: datetime,
    decisions: Sequence[Decision],
    result: Reconciled,
) -> Reconciled:
    again = ToSend(row.id, action, row.attempt + 1, epoch)
    match row.state:
        case "PLANNED":
            if isinstance(action, SetSellerReference):
                return result  # OR04 is sent in batches by the read desk
            if row.not_before is not None and row.not_before > now:
                return _later(result, row.not_before)
            return _send(result, again)
        case "IN_FLIGHT":
            return result  # only a batch of OR04 can be in flight under another epoch
        case "REJECTED":
            asked = _asked_again_at(row, decisions)
            if asked is not None:
                return _send(result, replace(again, asked_again_at=asked))
            if action.call_class in ("A", "B") and row.attempt < RETRY_REFUSED_TIMES:
                when = row.ended_at + RETRY_REFUSED_AFTER * row.attempt
                return _send(result, again) if when <= now else _later(result, when)
            return result
        case "UNKNOWN":
            if _may_resend_unclear_at_once(action):
                when = row.ended_at + timedelta(seconds=min(2 ** (row.attempt - 1), 30))
                return _send(result, again) if when <= now else _later(result, when)
            settled_at = row.ended_at + settle_of(action, view)
            if now < settled_at:
                return _later(result, min(settled_at, now + view.rules.settle))
            if not _seen_after(action, view, settled_at):
                return replace(result, mirakl_since=latest(result.mirakl_since, settled_at))
            asked = _asked_again_at(row, decisions)
            if action.call_class == "D" and row.attempt >= _most_unclear_attempts(action) and asked is None:
                return replace(result, unclear=(*result.unclear, _as_open(row)))
            return _send(result, replace(again, asked_again_at=asked))
        case _:
            raise AssertionError(row.state)


def _let_go(c: Connection, row: Row[Any], view: View, now: datetime, result: Reconciled) -> Reconciled:
    action: Action = decode(ACTION, row.action)
    match row.state:
        case "PLANNED":
            words = "no longer wanted; nothing was sent" if row.attempt == 0 else "no longer wanted"
            _close(c, row.id, "REJECTED", "withdrawn", words, now)
            return result
        case "REJECTED":
            # A plan that waits for the snapshot after the refusal does not want anything yet; that ends nothing.
            waits = isinstance(action, ShipmentAction) and not (view.mirakl and _shows_shipments(view.mirakl))
            if action.platform != "mirakl" or (view.mirakl_is_current and not waits):
                c.execute(update(operations).where(operations.c.id == row.id).values(done_at=now))
            return result
        case "UNKNOWN":
            settled_at = row.ended_at + settle_of(action, view)
            if is_reached(action, view):
                _close(c, row.id, "CONFIRMED", "observed", "the platform shows it", now)
                sentence = (
                    f"{type(action).__name__}: the answer was unclear; the platform shows that it happened."
                )
                return replace(result, sentences=(*result.sentences, sentence), settled=True)
            if now < settled_at:
                return _later(result, settled_at)
            if not _seen_after(action, view, settled_at):
                return replace(result, mirakl_since=latest(result.mirakl_since, settled_at))
            _close(
                c,
                row.id,
                "REJECTED",
                "not_applied",
                "the platform does not show it, and it is not wanted any more",
                now,
            )
            return replace(result, settled=True)
        case "IN_FLIGHT":
            return result
        case _:
            raise AssertionError(row.state)


def _close(c: Connection, operation_id: str, state: str, code: str, words: str, now: datetime) -> None:
    c.execute(
        update(operations)
        .where(operations.c.id == operation_id)
        .values(state=state, code=code, words=words, ended_at=now, done_at=now)
    )


def _seen_after(action: Action, view: View, moment: datetime) -> bool:
    if isinstance(action, ShipmentAction):
        # A document without shipments says nothing of them, however young it is.
        return view.mirakl is not None and view.mirakl.observed_at >= moment and _shows_shipments(view.mirakl)
    if action.platform == "mirakl":
        return view.mirakl is not None and view.mirakl.observed_at >= moment
    return not view.shopify_unreadable and view.now >= moment


def _shows_shipments(mirakl: MiraklOrder) -> bool:
    """Whether it tells of shipments: none of an order that ended, or where there are none at all."""
    return mirakl.shipments is not None or mirakl.shipments_hidden == "off" or mirakl.state in ENDED


def _confirmed_since_snapshot(
    c: Connection, order_id: int, digest: str, action: Action, view: View
) -> datetime | None:
    """When the platform confirmed this very target after its snapshot was taken: it is not sent again, a younger
    snapshot is wanted instead."""
    snapshot = view.mirakl if action.platform == "mirakl" else view.shopify
    if snapshot is None:
        return None
    # Shopify was read by this very worker, the marketplace by whoever leads its read desk.
    apart = CLOCKS_AGREE_WITHIN if action.platform == "mirakl" else timedelta(0)
    ended: datetime | None = c.execute(
        select(operations.c.ended_at)
        .where(
            operations.c.order_id == order_id,
            operations.c.digest == digest,
            operations.c.state == "CONFIRMED",
            operations.c.ended_at >= snapshot.observed_at - apart,
        )
        .order_by(operations.c.ended_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if ended is None else ended + apart


def _job_until(c: Connection, order_id: int, digest: str, action: Action, now: datetime) -> datetime | None:
    """Until when a confirmed action may still not show: Shopify cancels an order in a job of its own (orderCancel
    answers with the job), and asking again meanwhile would only start another one."""
    if not isinstance(action, CancelShopifyOrder):
        return None
    ended: datetime | None = c.execute(
        select(operations.c.ended_at)
        .where(
            operations.c.order_id == order_id,
            operations.c.digest == digest,
            operations.c.state == "CONFIRMED",
            operations.c.ended_at > now - SHOPIFY_JOB_TAKES,
        )
        .order_by(operations.c.ended_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if ended is None else ended + SHOPIFY_JOB_TAKES


_CASES_OF = {
    "CreateDraft": (Reason.IMPORT_REFUSED, Reason.STOCK_SHORT),
    "CreateOrder": (Reason.IMPORT_REFUSED, Reason.STOCK_SHORT),
    "CompleteDraft": (Reason.IMPORT_REFUSED, Reason.STOCK_SHORT),
    "AnswerAcceptance": (Reason.ACCEPTANCE_REFUSED,),
    "CancelQuantities": (Reason.REDUCTION_REFUSED,),
    "CancelMiraklOrder": (Reason.REDUCTION_REFUSED, Reason.CANCELLED_IN_SHOPIFY),
    "PlaceHold": (Reason.CANNOT_HOLD,),
    "AskServiceToStop": (Reason.SERVICE_DOES_NOT_STOP,),
    "SetTracking": (Reason.SHIPPING_REFUSED, Reason.TRACKING_NOT_CORRECTED),
    "ShipOrder": (Reason.SHIPPING_REFUSED,),
    "CreateShipment": (Reason.SHIPPING_REFUSED,),
    "TrackShipment": (Reason.SHIPPING_REFUSED, Reason.TRACKING_NOT_CORRECTED),
    "ValidateShipment": (Reason.SHIPPING_REFUSED,),
    "DeleteShipment": (Reason.SHIPPING_REFUSED,),
    "EditShopifyOrder": (Reason.DESK_EDIT_STUCK,),
    "CancelShopifyOrder": (Reason.DESK_EDIT_STUCK,),
    "SetOrderAddress": (Reason.DESK_EDIT_STUCK,),
    "FillOrderAddress": (Reason.DESK_EDIT_STUCK,),
    "RefundLines": (Reason.REFUND_REFUSED,),
}


def _asked_again_at(row: Row[Any], decisions: Sequence[Decision]) -> datetime | None:
    """When somebody answered "send it again" to the case of this very operation since it ended; None when nobody did,
    or when it was sent again for that answer already. Answers carry the clock of the process that took them."""
    operation = _as_open(row)
    for decision in reversed(decisions):
        if operation.is_sent_again_by(decision) and _is_about(decision, row):
            return decision.at
    return None


def confirmed_when_repeated(c: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Which of these operations a person had sent again after their outcome stayed unclear, and were confirmed then."""
    found = c.execute(
        select(operations.c.id).where(
            operations.c.id.in_(ids),
            operations.c.state == "CONFIRMED",
            operations.c.asked_again_at.is_not(None),
        )
    ).scalars()
    return frozenset(found)


def _is_about(decision: Decision, row: Row[Any]) -> bool:
    if decision.reason is Reason.OUTCOME_UNCLEAR:
        return decision.subject == str(row.id)
    if decision.reason is Reason.PLATFORM_REFUSED:
        return decision.subject == str(row.kind)
    if row.kind == "RefundLines" and decision.subject != row.action["subject"]:
        return False  # money is sent again for the task that was meant, and for no other
    if decision.reason not in _CASES_OF.get(row.kind, ()):
        return False
    action: Action = decode(ACTION, row.action)
    # An order has several parcels: each is sent again for its own case alone.
    if isinstance(action, PlaceHold | AskServiceToStop):
        return decision.subject == action.fulfillment_order_id
    return not isinstance(action, ShipmentAction) or decision.subject == action.subject


def begin(c: Connection, order_id: int, operation: ToSend, now: datetime) -> bool:
    """Commit the intent before the call leaves. False in a quarantine: then it must not leave, and stays planned.
    Raises LeaseLost when the epoch is no longer ours."""
    still_mine(c, order_id, operation.epoch)
    done = c.execute(
        update(operations)
        .where(operations.c.id == operation.id, ~IN_QUARANTINE)
        .values(
            state="IN_FLIGHT",
            attempt=operation.attempt,
            epoch=operation.epoch,
            sent_at=now,
            ended_at=None,
            not_before=None,
            **({} if operation.asked_again_at is None else {"asked_again_at": operation.asked_again_at}),
        )
    )
    return bool(done.rowcount)


def take_back(c: Connection, order_id: int, operation: ToSend) -> None:
    """The call did not leave after all: too much time went by since its intent was committed."""
    still_mine(c, order_id, operation.epoch)
    c.execute(
        update(operations)
        .where(operations.c.id == operation.id)
        .values(state="PLANNED", attempt=operation.attempt - 1, sent_at=None)
    )


def finish(c: Connection, order_id: int, operation: ToSend, outcome: Outcome, now: datetime) -> None:
    """Record how the call ended. Raises LeaseLost when the epoch is no longer ours: the next writer then treats
    it as unclear."""
    written: dict[str, Any] = {}
    if operation.action.platform == "mirakl" and not isinstance(outcome, Unavailable):
        written = {"mirakl_written_at": now + CLOCKS_AGREE_WITHIN}
    still_mine(c, order_id, operation.epoch, **written)
    record(c, operation.id, operation.action, operation.attempt, outcome, now)


def record(
    c: Connection,
    operation_id: str,
    action: Action | ConnectionAction,
    attempt: int,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Write an outcome into the operation's row."""
    match outcome:
        case Confirmed(facts):
            values = {"state": "CONFIRMED", "facts": encode(facts), "done_at": now, "code": "", "words": ""}
        case Refused(code, words):
            values = {"state": "REJECTED", "code": code, "words": words}
        case Unavailable(why, retry_after):
            most = 30.0 if action.lane in ("acceptance", "holds") else 300.0
            pause = retry_after if retry_after is not None else min(2.0 ** (attempt - 1), most)
            values = {
                "state": "PLANNED",
                "not_before": now + timedelta(seconds=pause),
                "code": "unavailable",
                "words": why,
            }
        case Unknown(why):
            values = {"state": "UNKNOWN", "code": "unclear", "words": why}
        case _:
            assert_never(outcome)
    c.execute(update(operations).where(operations.c.id == operation_id).values(ended_at=now, **values))


def planned_references(
    c: Connection, connection_ids: Sequence[int], now: datetime, limit: int
) -> list[tuple[str, int, Action, int]]:
    """OR04 rows waiting for their batch: operation id, order row id, action, attempt. Locked until the transaction
    ends, so that two desks never take the same ones."""
    rows = c.execute(_PLANNED_REFERENCES, {"connection_ids": connection_ids, "now": now, "most": limit})
    return [(row.id, row.order_id, decode(ACTION, row.action), row.attempt) for row in rows]


def has_open_references(c: Connection, connection_ids: Sequence[int]) -> bool:
    """Whether any OR04 row is planned, unclear or on its way: else there is nothing to ask further."""
    return bool(c.execute(_OPEN_REFERENCES, {"connection_ids": connection_ids}).scalar_one())


def references_leave(c: Connection, operation_ids: Sequence[str], now: datetime) -> None:
    """These OR04 rows travel in the batch that leaves now."""
    c.execute(
        update(operations)
        .where(operations.c.id.in_(operation_ids))
        .values(state="IN_FLIGHT", attempt=operations.c.attempt + 1, sent_at=now, ended_at=None)
    )


def references_left_behind(c: Connection, connection_ids: Sequence[int], before: datetime) -> int:
    """OR04 is last write wins: batches whose sender died are simply planned again."""
    done = c.execute(_REFERENCES_LEFT_BEHIND, {"connection_ids": connection_ids, "before": before})
    return int(done.rowcount)


# -- what is done for a connection as a whole --------------------------------------------------------------


def leaves_for_connection(
    c: Connection,
    connection_id: int,
    epoch: int,
    action: ConnectionAction,
    now: datetime,
    identifiers: Identifiers,
) -> ToSendForConnection | None:
    """Commit the intent of a call for a connection before it leaves; None in a quarantine, when it must not. `epoch` is
    that of the poll whose leader sends it: the caller has made sure that it still leads."""
    if c.execute(select(IN_QUARANTINE)).scalar_one():
        return None
    operation_id = identifiers.new_id()
    c.execute(
        insert(operations).values(
            id=operation_id,
            order_id=None,
            connection_id=connection_id,
            epoch=epoch,
            kind=type(action).__name__,
            platform=action.platform,
            call_class=action.call_class,
            action=encode(action),
            digest=digest_of(action),
            state="IN_FLIGHT",
            attempt=1,
            planned_at=now,
            sent_at=now,
        )
    )
    return ToSendForConnection(operation_id, action, 1, epoch)


def settled_for_connection(
    c: Connection, operation_id: str, state: OperationState, code: str, words: str, now: datetime
) -> None:
    """What became of a connection's call is known, or given up: it matters to no decision any more."""
    _close(c, operation_id, state, code, words, now)
