"""Reads the facts about connections, asks the rule, and keeps the cases of connections equal to what it wants."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases, close_connection_cases, keep_connection_case
from interlock.engine.ledger import operations
from interlock.engine.store import all_connections, budget_waits, heartbeats, polls
from interlock.engine.troubles import Trouble, all_troubles, trouble_is_over
from interlock.inventory.store import stock_known_to
from interlock.monitoring.channels import alert_channels
from interlock.monitoring.conditions import (
    CONDITIONS,
    ConnectionFacts,
    CrashedOrder,
    Facts,
    TroubleFact,
    UnclearFact,
    conditions,
)
from interlock.orders.reasons import CATALOGUE, Reason
from interlock.orders.store import orders
from interlock.quarantine.store import latest as latest_quarantine

FORGET_TROUBLES_AFTER = timedelta(days=1)


def facts_now(c: Connection, now: datetime) -> Facts:
    """Everything the rule looks at, read in one transaction."""
    live = [row for row in all_connections(c) if row.live]
    noted = all_troubles(c)
    held = latest_quarantine(c)
    return Facts(
        now=now,
        connections=tuple(
            ConnectionFacts(
                row.id,
                row.name,
                row.mirakl_account,
                row.shopify_account,
                row.shopify_shop,
                timedelta(seconds=row.poll_seconds),
                row.created_at,
                (row.rules_changed_at or row.created_at) if row.rules.publish_stock else None,
            )
            for row in live
        ),
        good_reads={row.name: row.last_ok_at for row in c.execute(select(polls))},
        beats={row.name: row.at for row in c.execute(select(heartbeats))},
        waits=tuple(
            (row.account, row.operation, row.until)
            for row in c.execute(
                select(budget_waits)
                .where(budget_waits.c.until > now)
                .order_by(budget_waits.c.account, budget_waits.c.operation)
            )
        ),
        troubles=tuple(TroubleFact(t.part, t.code, t.last_at, t.times, t.detail) for t in noted),
        crashed=_crashed(c, noted),
        unclear=_unclear(c),
        outside=tuple(
            (row.name, row.made_at)
            for row in c.execute(
                select(alert_channels.c.name, alert_channels.c.made_at)
                .where(alert_channels.c.kind == "heartbeat", alert_channels.c.removed_at.is_(None))
                .order_by(alert_channels.c.name)
            )
        ),
        stock_reads=stock_known_to(c),
        quarantined=held is not None and held.open,
        writing_since=None if held is None else held.ended_at,
    )


def _unclear(c: Connection) -> tuple[UnclearFact, ...]:
    """Counted from when each was planned: a call that is sent again and again without an answer stays unclear."""
    rows = c.execute(
        select(operations.c.connection_id, func.count(), func.min(operations.c.planned_at))
        .where(
            operations.c.done_at.is_(None),
            operations.c.state.in_(("UNKNOWN", "IN_FLIGHT")),
            operations.c.code.in_(("unclear", "worker_gone")),
        )
        .group_by(operations.c.connection_id)
        .order_by(operations.c.connection_id)
    )
    return tuple(UnclearFact(row[0], int(row[1]), row[2]) for row in rows)


def _crashed(c: Connection, noted: tuple[Trouble, ...]) -> tuple[CrashedOrder, ...]:
    """A look that ends well gives its lease back; one that crashed leaves it to run out."""
    by_id = {int(t.part.split()[1]): t for t in noted if t.code == "crash" and t.part.startswith("order ")}
    if not by_id:
        return ()
    rows = c.execute(
        select(orders.c.id, orders.c.connection_id, orders.c.mirakl_order_id, orders.c.lease_owner)
        .where(orders.c.id.in_(by_id))
        .order_by(orders.c.id)
    )
    return tuple(
        CrashedOrder(
            row.connection_id,
            row.mirakl_order_id,
            by_id[row.id].times,
            by_id[row.id].detail,
            row.lease_owner is not None,
        )
        for row in rows
    )


def watch_connections(c: Connection, now: datetime) -> tuple[int, int]:
    """Open and close the cases of connections as the rule wants them; returns how many of each."""
    facts = facts_now(c, now)
    wanted = {(one.connection_id, one.reason.value, one.subject): one for one in conditions(facts)}
    there = c.execute(
        select(cases.c.connection_id, cases.c.reason, cases.c.subject).where(
            cases.c.order_id.is_(None),
            cases.c.closed_at.is_(None),
            cases.c.reason.in_([reason.value for reason in CONDITIONS]),
        )
    ).all()
    opened = closed = 0
    for row in there:
        key = (row.connection_id, row.reason, row.subject)
        if key not in wanted:
            because = CATALOGUE[Reason(row.reason)].closes_when
            closed += close_connection_cases(c, key[0], Reason(key[1]), key[2], now, because)
    for one in wanted.values():
        opened += keep_connection_case(c, one.connection_id, one.reason, one.subject, one.sentence, now)
    _forget(c, facts)
    return opened, closed


def _forget(c: Connection, facts: Facts) -> None:
    """Forget troubles that are over: what was read well since, orders that were looked at well, what is long ago."""
    well = {f"order {row}" for row in _released(c, facts)}
    for trouble in facts.troubles:
        read = facts.good_reads.get(trouble.part)
        over = (read is not None and read > trouble.last_at) or trouble.part in well
        if over or facts.now - trouble.last_at > FORGET_TROUBLES_AFTER:
            trouble_is_over(c, trouble.part, trouble.code)


def _released(c: Connection, facts: Facts) -> list[int]:
    ids = [
        int(t.part.split()[1]) for t in facts.troubles if t.code == "crash" and t.part.startswith("order ")
    ]
    if not ids:
        return []
    return list(
        c.execute(
            select(orders.c.id)
            .where(orders.c.id.in_(ids), orders.c.lease_owner.is_(None))
            .order_by(orders.c.id)
        ).scalars()
    )
