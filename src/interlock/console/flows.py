"""Pausing and resuming one flow of a connection, and what that means for the people who work with it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from interlock.access.audit_log import LONGEST, Did, record
from interlock.cases.store import cases
from interlock.engine.capabilities import hint_waiting
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, all_connections, connections, one_connection
from interlock.orders.codec import encode
from interlock.orders.connection import FLOWS, FLOWS_OF_ORDERS, Flow, Pause
from interlock.orders.reasons import Reason

AT_STAKE: dict[Flow, str] = {
    "import": "orders can be lost",
    "acceptance": "orders can be lost",
    "stock": "more can be sold than there is",
}
"""What a pause of a flow can do that nobody makes good again: said at the top of every page while it lasts."""
LOUD: tuple[Flow, ...] = tuple(AT_STAKE)
LONGEST_PAUSE = timedelta(days=7)
LONGEST_LOUD_PAUSE = timedelta(hours=4)
CHOICES: tuple[tuple[int, str], ...] = (
    (15, "15 minutes"),
    (60, "1 hour"),
    (240, "4 hours"),
    (1440, "1 day"),
    (10080, "7 days"),
)
"""How long a pause may be set to last, in minutes."""

CONSEQUENCES: dict[Flow, str] = {
    "import": "New marketplace orders get no Shopify order, and so no acceptance: the marketplace cancels them when their "
    "time is over.",
    "acceptance": "The marketplace gets no answer: it cancels every order whose time is over.",
    "edits": "Edits on either side are not carried across. Parcels whose two sides differ stay held.",
    "shipping": "The marketplace is not told of parcels that leave: orders become late there.",
    "refunds": "Interlock refunds nothing at the marketplace; refund tasks for people stay as they are.",
    "stock": "The marketplace is told no figure: its offers stay as they are, also those of what is sold out. They do not go to "
    "zero by it; to sell nothing for a while, use Show nothing on the page Stock instead.",
}


class PauseRefused(ValueError):
    """A pause cannot be set or ended as asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class FlowState:
    """One flow of a connection: what a pause means, the pause if there is one, and how many orders it stops."""

    flow: Flow
    consequence: str
    pause: Pause | None
    stopped: int
    loud: bool


def flow_states(c: Connection, row: ConnectionRow, now: datetime) -> tuple[FlowState, ...]:
    """Every flow of a connection as it is now; stock is one where it is published."""
    counted = c.execute(
        select(cases.c.subject, func.count())
        .where(
            cases.c.connection_id == row.id,
            cases.c.reason == Reason.FLOW_PAUSED.value,
            cases.c.closed_at.is_(None),
        )
        .group_by(cases.c.subject)
    )
    stopped = {subject: int(number) for subject, number in counted}
    return tuple(
        FlowState(flow, CONSEQUENCES[flow], row.rules.paused(flow, now), stopped.get(flow, 0), flow in LOUD)
        for flow in FLOWS
        if flow in FLOWS_OF_ORDERS or row.rules.publish_stock
    )


def pause_flow(
    c: Connection,
    queue: Queue,
    connection_id: int,
    flow: str,
    minutes: str,
    who: str,
    why: str,
    now: datetime,
) -> Pause:
    """Pause one flow from now on, instead of a pause it has. Raises PauseRefused."""
    chosen = _flow(flow)
    if minutes not in {str(number) for number, _ in CHOICES}:
        raise PauseRefused("Choose how long the pause shall last. Nothing was changed.")
    length = timedelta(minutes=int(minutes))
    if chosen in LOUD and length > LONGEST_LOUD_PAUSE:
        raise PauseRefused(
            f"A pause of {chosen} may last 4 hours at most: {AT_STAKE[chosen]}. Set it again when it ends, if it must go on. "
            "Nothing was changed."
        )
    if not why or not why.isprintable() or len(why) > LONGEST:
        raise PauseRefused(
            f"A pause needs a reason of at most {LONGEST} characters in one line: whoever meets it reads why. Nothing was "
            "changed."
        )
    row = _locked(c, connection_id)
    if chosen not in FLOWS_OF_ORDERS and not row.rules.publish_stock:
        raise PauseRefused(
            f"The stock of {row.name} is not published, so that there is nothing to pause. Nothing was changed."
        )
    pause = Pause(chosen, now, now + length, who, why)
    kept = (*(one for one in row.rules.pauses if one.flow != chosen and now < one.until), pause)
    _keep(c, queue, row, chosen, kept, now)
    facts = {"flow": chosen, "minutes": minutes, "why": why}
    record(c, who, Did.FLOW_PAUSED, f"connection {row.id}", now=now, connection=row.id, facts=facts)
    return pause


def resume_flow(c: Connection, queue: Queue, connection_id: int, flow: str, who: str, now: datetime) -> int:
    """End the pause of a flow; what waited for it is looked at. Returns how many orders, none for stock, which goes on with
    its next file. Raises PauseRefused."""
    chosen = _flow(flow)
    row = _locked(c, connection_id)
    if row.rules.paused(chosen, now) is None:
        raise PauseRefused(f"{chosen.capitalize()} of {row.name} has no pause any more. Nothing was changed.")
    kept = tuple(one for one in row.rules.pauses if one.flow != chosen and now < one.until)
    number = _keep(c, queue, row, chosen, kept, now)
    record(
        c,
        who,
        Did.FLOW_RESUMED,
        f"connection {row.id}",
        now=now,
        connection=row.id,
        facts={"flow": chosen},
    )
    return number


def _keep(
    c: Connection, queue: Queue, row: ConnectionRow, flow: Flow, pauses: tuple[Pause, ...], now: datetime
) -> int:
    """Keep the pauses, and have the orders looked at that wait for the flow."""
    rules = encode(replace(row.rules, pauses=pauses))
    c.execute(update(connections).where(connections.c.id == row.id).values(rules=rules))
    return hint_waiting(c, queue, row.id, now) if flow in FLOWS_OF_ORDERS else 0


def _locked(c: Connection, connection_id: int) -> ConnectionRow:
    """The connection, which nobody else changes meanwhile."""
    of_row = select(connections.c.id).where(connections.c.id == connection_id)
    if c.execute(of_row.with_for_update()).one_or_none() is None:
        raise PauseRefused(
            f"There is no connection with the row number {connection_id}. Nothing was changed."
        )
    return one_connection(c, connection_id)


def _flow(given: str) -> Flow:
    for flow in FLOWS:
        if flow == given:
            return flow
    raise PauseRefused(f"There is no flow {given[:40]!r}; there are {', '.join(FLOWS)}. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class LoudPause:
    """A pause that does harm while it lasts, with the row number and name of its connection, and what is at stake."""

    connection_id: int
    connection: str
    pause: Pause
    at_stake: str


def loud_pauses(c: Connection, now: datetime) -> tuple[LoudPause, ...]:
    """Pauses that do harm while they last: every page says those of the connections its reader may see."""
    return tuple(
        LoudPause(row.id, row.name, pause, at_stake)
        for row in all_connections(c)
        for flow, at_stake in AT_STAKE.items()
        if (pause := row.rules.paused(flow, now)) is not None
    )
