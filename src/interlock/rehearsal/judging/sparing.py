"""I14, second part: a platform that fails is left alone, but for acceptances, holds and five probes a minute."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import get_args

from interlock.orders.actions import Action, PublishStock
from interlock.rehearsal.judging.evidence import Evidence, Reference, first_after
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Call

PLATFORM_FAILED = ("refused_before", "server_error", "server_error_after", "html", "reply_lost", "late_apply")
"""Faults after which whoever called knows that the platform did not answer, as soon as it called."""
CERTAINLY_OPEN_AFTER = 5
"""So many failures in half a minute, and no answer since the first, open the breaker by any way of counting them."""
COUNTED_FOR = timedelta(seconds=30)
KNOWN_AFTER = timedelta(seconds=2)
"""Every worker knows of it within a second, and a call that was let go may be on its way."""
PROBES = 5
MINUTE = timedelta(minutes=1)
STOOD_STILL = timedelta(minutes=4)
LISTS_LAG = timedelta(minutes=2)
UNHINDERED_LANES = ("acceptance", "holds")
LANE_OF = {kind.__name__: kind.lane for kind in (*get_args(Action), PublishStock)}
READS_OF_NO_ORDER = ("orders", "currentAppInstallation", "webhookSubscriptions", "inventoryItems")
"""Reads of the shop that belong to a duty and to no order: sweeps, the mark, subscriptions, stock."""


def i14_a_failing_platform_is_spared(evidence: Evidence, found: list[Truth], verdict: Verdict) -> None:
    """While every call of ours fails, at most five a minute go out that are neither for an acceptance nor for a hold.

    The lane of a read is in no log: reads of one order count while no order of ours may wait for its acceptance, as far as
    we can know of it. A worker that stood still sends what it had been allowed before: bounded.
    """
    shop = [call for call in evidence.shopify.record.calls if call.caller in (evidence.app, "unknown")]
    unsettled = [(truth.order.created, _settled_at(evidence, truth)) for truth in found]

    def waits(at: datetime) -> bool:
        return any(began <= at and (ended is None or at <= ended) for began, ended in unsettled)

    def of_shop(call: Call) -> bool:
        if (lane := _lane(evidence, call)) is not None:
            return lane not in UNHINDERED_LANES
        return call.operation in READS_OF_NO_ORDER or (call.operation == "order" and not waits(call.sent_at))

    _spared(evidence, verdict, "Shopify", shop, of_shop)
    for marketplace in evidence.marketplaces:
        calls = [call for call in marketplace.record.calls if call.caller == marketplace.caller]
        _spared(evidence, verdict, marketplace.name, calls, lambda call: _of_marketplace(evidence, call))


def _of_marketplace(evidence: Evidence, call: Call) -> bool:
    """Walks and reads by id have a pace of their own, which their part of I14 judges."""
    lane = _lane(evidence, call)
    return call.operation != "OR11" if lane is None else lane not in UNHINDERED_LANES


def _lane(evidence: Evidence, call: Call) -> str | None:
    """The lane of a write, by its ledger row; None where there is none."""
    reference = Reference.of(call.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    return None if row is None else LANE_OF.get(row.kind)


def _settled_at(evidence: Evidence, truth: Truth) -> datetime | None:
    """From when on we know that the order does not wait for its acceptance, and have read it in the shop; None while we may
    not know it. A list may be behind."""
    left = [
        effect.at
        for effect in truth.marketplace.record.effects
        if effect.order_id == truth.id
        and effect.kind == "state"
        and effect.detail["from"] == "WAITING_ACCEPTANCE"
    ]
    began = left[-1] if left else truth.order.created
    if not left and truth.order.state in ("STAGING", "WAITING_ACCEPTANCE"):
        return None
    seen = first_after(evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []), began + LISTS_LAG)
    if seen is None:
        return None
    reads = [times[0] for _, gid in truth.linked if (times := evidence.shopify_reads.get(gid))]
    return max(seen, min(reads)) + LISTS_LAG if reads else None


def _spared(
    evidence: Evidence, verdict: Verdict, name: str, calls: list[Call], has_to_wait: Callable[[Call], bool]
) -> None:
    failed: deque[datetime] = deque()
    open_at: datetime | None = None
    probes: deque[datetime] = deque()
    told = False
    for call in sorted(calls, key=lambda one: one.sent_at):
        if call.fault not in PLATFORM_FAILED:
            # Answered, or nobody can tell when whoever called gave up: the platform may be working.
            failed.clear()
            probes.clear()
            open_at = None
            continue
        at = call.sent_at
        if open_at is not None and at > open_at + KNOWN_AFTER and has_to_wait(call):
            verdict.checked["I14 spared"] += 1
            while probes and probes[0] <= at - MINUTE + timedelta(seconds=2):
                probes.popleft()
            probes.append(at)
            if len(probes) > PROBES and not told:
                told = True
                sentence = f"{name} failed, and {len(probes)} calls went out within a minute besides acceptances and holds."
                facts = (call.operation, f"failing since {open_at:%H:%M:%S}")
                if evidence.stood_still(at - STOOD_STILL, at):
                    verdict.bound("I14", "", at, sentence, *facts, "a worker had stood still")
                else:
                    verdict.violation("I14", "", at, sentence, *facts)
        failed.append(at)
        while failed[0] <= at - COUNTED_FOR:
            failed.popleft()
        if open_at is None and len(failed) >= CERTAINLY_OPEN_AFTER:
            open_at = at
