"""Taking back that the shop has an order already: what people ask from console and command line.

What is known here is refused here, in words and with nothing changed. The rest is kept like an answer to a case, and the next
look carries it out.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from interlock.cases.store import volunteer, waiting_answers
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.orders.codec import decode
from interlock.orders.memory import Decision, Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import orders

LONGEST_WORDS = 500
ORDER = "order"


class CannotCreate(ValueError):
    """The order cannot be created in Shopify like this; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Nothing was changed.")


@dataclass(frozen=True, slots=True)
class CreateAsked:
    """Of which marketplace order a Shopify order was asked for, and what happens next."""

    mirakl_order_id: str
    sentence: str


def said_in_shop(memory: Memory, mirakl_state: str) -> Decision | None:
    """Who said that the shop has the order already, where that can still be taken back: Interlock leaves the order alone for
    it, and it has neither left nor ended."""
    said = memory.decision(Reason.OLDER_THAN_CONNECTION, ORDER)
    stands = memory.left_alone and said is not None and said.option is Option.IN_SHOP_ALREADY
    return said if stands and mirakl_state not in (*GONE_OUT, *DEAD) else None


def create_after_all(
    c: Connection, queue: Queue, order_id: int, who: str, why: str, now: datetime
) -> CreateAsked:
    """Ask that the Shopify order is created of which somebody said that the shop has it already. Raises CannotCreate."""
    row = c.execute(
        select(orders.c.mirakl_order_id, orders.c.mirakl_state, orders.c.memory)
        .where(orders.c.id == order_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise CannotCreate(f"There is no order with the row number {order_id}.")
    for value in (who, why):
        if not value.strip() or len(value) > LONGEST_WORDS:
            raise CannotCreate(
                "It needs the name of who asks for it and a reason, of up to 500 characters each."
            )
    said = said_in_shop(decode(Memory, row.memory), row.mirakl_state)
    if said is None:
        raise CannotCreate(
            f"{row.mirakl_order_id} is not left alone because somebody said that the shop has it already, or it has left or "
            "ended."
        )
    waiting = [answer for _, answer in waiting_answers(c, order_id) if answer.reason is said.reason]
    if waiting:
        raise CannotCreate(f"{waiting[0].who} has just said something about it.")
    volunteer(c, order_id, said.reason, ORDER, Option.CREATE_ORDER, who.strip(), why.strip(), now)
    hint(c, queue, order_id, "edits", now)
    return CreateAsked(
        row.mirakl_order_id,
        f"{said.who} said that the shop has this order already; it is created in Shopify all the same, and kept together with "
        "the marketplace from then on.",
    )
