"""Which Shopify order stands for a marketplace order, said by hand: what people ask from console and command line.

What is known here is refused here, in words and with nothing changed. The rest is kept like an answer to a case: the
next look reads the order in the shop and carries it out, or says in the order's story why not.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from interlock.cases.store import volunteer, waiting_answers
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.orders.codec import decode
from interlock.orders.memory import Decision, Kin, Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import claims_of, kin, orders
from interlock.orders.view import View

LONGEST_WORDS = 500
ORDER = "order"
_GID = re.compile(r"(?:gid://shopify/Order/|https://\S+/orders/)?(\d{9,20})/?(?:\?\S*)?", re.ASCII)


class LineageRefused(ValueError):
    """The lineage cannot be changed like this; nothing was. `field` names what was wrong."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{why} Nothing was changed.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which marketplace order something was asked, and what happens next."""

    mirakl_order_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class LinkAsked(Asked):
    """The same of what was asked about one Shopify order."""

    shopify_order_id: str
    name: str


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    connection_id: int
    mirakl_order_id: str
    mirakl_state: str
    memory: Memory
    seen: View | None


def link(
    c: Connection, queue: Queue, order_id: int, other: str, who: str, why: str, now: datetime
) -> LinkAsked:
    """Ask that the Shopify order `other` stands for this marketplace order from now on.

    `other` is a name Interlock knows, an id, or the order's address in the Shopify admin. Raises LineageRefused.
    """
    row = _row(c, order_id)
    if not row.memory.shopify_order_id:
        raise LineageRefused(
            "order", f"{row.mirakl_order_id} has no Shopify order yet that another could replace."
        )
    shopify_order_id, name = _resolved(c, row, other)
    shown = name or shopify_order_id
    if shopify_order_id == row.memory.shopify_order_id:
        raise LineageRefused("shopify_order", f"{shown} stands for {row.mirakl_order_id} already.")
    known = row.memory.kin(shopify_order_id)
    if known is not None and known.role == "superseded":
        raise LineageRefused(
            "shopify_order",
            f"{shown} was replaced by {row.memory.shopify_order_name}, and a lineage never goes in a circle. To take the "
            "last take-over back, use undo-link.",
        )
    for claim in claims_of(c, row.id, [shopify_order_id]):
        if claim.role in ("live", "superseded"):
            raise LineageRefused(
                "shopify_order", f"{shown} stands or stood for marketplace order {claim.mirakl_order_id}."
            )
    _check_currency(row, shopify_order_id, shown)
    old = row.memory.shopify_order_name
    return _asked(
        c,
        queue,
        row,
        Kin(shopify_order_id, shown, "candidate", now, who, why),
        Option.TAKE_OVER,
        f"{shown} takes over from {old} once {old} is cancelled in Shopify; until then both are held.",
        now,
    )


def unlink(
    c: Connection, queue: Queue, order_id: int, other: str, who: str, why: str, now: datetime
) -> LinkAsked:
    """Ask that the Shopify order `other` has nothing to do with this marketplace order. Raises LineageRefused."""
    row = _row(c, order_id)
    shopify_order_id, name = _resolved(c, row, other)
    shown = name or shopify_order_id
    known = row.memory.kin(shopify_order_id)
    if shopify_order_id == row.memory.shopify_order_id:
        before = _before(row)
        if before is None:
            raise LineageRefused(
                "shopify_order",
                f"{shown} is the order Interlock made for {row.mirakl_order_id}; without it nothing would be delivered. "
                "Link another one, or cancel it in Shopify.",
            )
        sentence = (
            f"{before.name} stands for {row.mirakl_order_id} again and {shown} is released. If {before.name} is cancelled "
            "and nothing else replaces it, the cancelation goes to the marketplace when the wait for a successor is over."
        )
        return _asked(
            c,
            queue,
            row,
            Kin(shopify_order_id, shown, "live", now, who, why),
            Option.NO_SUCCESSOR,
            sentence,
            now,
        )
    if known is None or known.role != "candidate":
        what = "was replaced already" if known is not None and known.role == "superseded" else "is not linked"
        raise LineageRefused("shopify_order", f"{shown} {what}, so there is nothing to unlink.")
    sentence = f"{shown} is released and not asked about again."
    return _asked(
        c,
        queue,
        row,
        Kin(shopify_order_id, shown, "candidate", now, who, why),
        Option.NO_SUCCESSOR,
        sentence,
        now,
    )


def undo_link(c: Connection, queue: Queue, order_id: int, who: str, why: str, now: datetime) -> LinkAsked:
    """Ask that the last take-over is taken back. Raises LineageRefused."""
    row = _row(c, order_id)
    before = _before(row)
    if before is None:
        raise LineageRefused(
            "order", f"No order has taken over {row.mirakl_order_id}, so there is nothing to undo."
        )
    live = row.memory.shopify_order_name
    sentence = f"{before.name} stands for {row.mirakl_order_id} again; {live} is held, and somebody is asked what it is."
    of = Kin(row.memory.shopify_order_id, live, "live", now, who, why)
    return _asked(c, queue, row, of, Option.UNDO_TAKE_OVER, sentence, now)


def said_in_shop(memory: Memory, mirakl_state: str) -> Decision | None:
    """Who said that the shop has the order already, where that can still be taken back: Interlock leaves the order alone for
    it, and it has neither left nor ended."""
    said = memory.decision(Reason.OLDER_THAN_CONNECTION, ORDER)
    stands = memory.left_alone and said is not None and said.option is Option.IN_SHOP_ALREADY
    return said if stands and mirakl_state not in (*GONE_OUT, *DEAD) else None


def create_after_all(c: Connection, queue: Queue, order_id: int, who: str, why: str, now: datetime) -> Asked:
    """Ask that the Shopify order is created of which somebody said that the shop has it already. Raises LineageRefused."""
    row = _row(c, order_id)
    said = said_in_shop(row.memory, row.mirakl_state)
    if said is None:
        raise LineageRefused(
            "order",
            f"{row.mirakl_order_id} is not left alone because somebody said that the shop has it already, or it has left or "
            "ended.",
        )
    _keep_word(c, queue, row, said.reason, ORDER, Option.CREATE_ORDER, who, why, now)
    return Asked(
        row.mirakl_order_id,
        f"{said.who} said that the shop has this order already; it is created in Shopify all the same, and kept together with "
        "the marketplace from then on.",
    )


def _row(c: Connection, order_id: int) -> _Row:
    row = c.execute(
        select(
            orders.c.id,
            orders.c.connection_id,
            orders.c.mirakl_order_id,
            orders.c.mirakl_state,
            orders.c.memory,
            orders.c.last_view,
        )
        .where(orders.c.id == order_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise LineageRefused("order", f"There is no order with the row number {order_id}.")
    seen = None if row.last_view is None else decode(View, row.last_view)
    memory = decode(Memory, row.memory)
    return _Row(row.id, row.connection_id, row.mirakl_order_id, row.mirakl_state, memory, seen)


def _before(row: _Row) -> Kin | None:
    if row.memory.kin(row.memory.shopify_order_id) is None:
        return None
    return next((known for known in reversed(row.memory.lineage) if known.role == "superseded"), None)


def _resolved(c: Connection, row: _Row, other: str) -> tuple[str, str]:
    """The id and name of the Shopify order that is meant. Raises LineageRefused."""
    wanted = other.strip()
    names = (wanted, f"#{wanted}")
    live = select(orders.c.shopify_order_id, orders.c.shopify_name).where(
        orders.c.shopify_name.in_(names), orders.c.connection_id == row.connection_id
    )
    others = (
        select(kin.c.shopify_order_id, kin.c.name)
        .join(orders, orders.c.id == kin.c.order_id)
        .where(kin.c.name.in_(names), orders.c.connection_id == row.connection_id)
    )
    found = {(shopify_id, name) for query in (live, others) for shopify_id, name in c.execute(query)}
    if len(found) == 1:
        return next(iter(found))
    match = _GID.fullmatch(wanted)
    if match is not None and not found:
        return f"gid://shopify/Order/{match[1]}", _name_of(c, f"gid://shopify/Order/{match[1]}")
    why = "belongs to more than one order" if found else "is no order Interlock knows by name"
    raise LineageRefused(
        "shopify_order",
        f"{wanted[:80]!r} {why}. Give the order's address in the Shopify admin, or the long number at its end.",
    )


def _name_of(c: Connection, shopify_order_id: str) -> str:
    live = select(orders.c.shopify_name).where(orders.c.shopify_order_id == shopify_order_id)
    other = (
        select(kin.c.name).where(kin.c.shopify_order_id == shopify_order_id).order_by(kin.c.order_id).limit(1)
    )
    return c.execute(live).scalar_one_or_none() or c.execute(other).scalar_one_or_none() or ""


def _check_currency(row: _Row, shopify_order_id: str, shown: str) -> None:
    """Where the order has been seen already; otherwise the look that reads it refuses it."""
    seen = row.seen
    if seen is None or seen.shopify is None:
        return
    for order in seen.kin:
        if order.id == shopify_order_id and order.currency != seen.shopify.currency:
            raise LineageRefused(
                "shopify_order",
                f"{shown} is in {order.currency}, {row.mirakl_order_id} in {seen.shopify.currency}.",
            )


def _asked(
    c: Connection, queue: Queue, row: _Row, of: Kin, option: Option, sentence: str, now: datetime
) -> LinkAsked:
    """Keep the word of `of.who` about that order."""
    _keep_word(c, queue, row, Reason.POSSIBLE_SUCCESSOR, of.shopify_order_id, option, of.who, of.why, now)
    return LinkAsked(row.mirakl_order_id, sentence, of.shopify_order_id, of.name)


def _keep_word(
    c: Connection,
    queue: Queue,
    row: _Row,
    reason: Reason,
    subject: str,
    option: Option,
    who: str,
    why: str,
    now: datetime,
) -> None:
    """Keep what somebody said unasked, and have the marketplace order looked at. One word about a subject at a time."""
    for field, value in (("who", who), ("why", why)):
        if not value.strip() or len(value) > LONGEST_WORDS:
            raise LineageRefused(
                field, "It needs the name of who asks for it and a reason, of up to 500 characters each."
            )
    waiting = [said for _, said in waiting_answers(c, row.id) if said.subject == subject]
    if waiting:
        field = "order" if subject == ORDER else "shopify_order"
        raise LineageRefused(field, f"{waiting[0].who} has just said something else about it.")
    volunteer(c, row.id, reason, subject, option, who.strip(), why.strip(), now)
    hint(c, queue, row.id, "edits", now)
