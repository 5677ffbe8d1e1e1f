"""I9, I10, I14, I16, I20 and I21: every write stands in the ledger, one writer at a time, within the ceilings."""

from collections import Counter, deque
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from interlock.rehearsal.judging.evidence import (
    APPLIED_UNHEARD,
    DELAYED,
    NOT_APPLIED_UNHEARD,
    Evidence,
    Marketplace,
    Reference,
    is_write,
)
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Call

STAGING = ("orderEditBegin", "orderEditSetQuantity", "orderEditAddVariant")
"""Calls of an order edit before its commit: they change nothing, and one attempt makes many of them."""

UNPARKED = ("PlaceHold", "AnswerAcceptance", "SetSellerReference")
"""What also goes out for a parked order; the seller's reference goes out in a batch of its own rhythm."""
MOST_WRITING_RUNS = 20

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
JITTER = timedelta(seconds=1)
SAME_INSTANT = timedelta(milliseconds=1)
"""Clocks that are all right still round differently."""
BY_ID_READS = 6
STOOD_STILL = timedelta(minutes=4)
LEARNING_429S = 8
"""How often in an hour OR11 may be refused at most once we find out that the marketplace counts reads by id: each that was
made in the hour before takes the place of a walk."""


def our_writes(evidence: Evidence) -> list[tuple[Call, Marketplace | None]]:
    """Every write of ours with its marketplace (None for Shopify), oldest first."""
    found: list[tuple[Call, Marketplace | None]] = [
        (call, None)
        for call in evidence.shopify.record.calls
        if call.caller == evidence.app and is_write(call, None)
    ]
    for marketplace in evidence.marketplaces:
        found += [
            (call, marketplace)
            for call in marketplace.record.calls
            if call.caller == marketplace.caller and is_write(call, marketplace)
        ]
    return sorted(found, key=lambda item: item[0].at)


def i9_every_write_was_planned(evidence: Evidence, verdict: Verdict) -> None:
    """I9: each write carries a reference to a ledger row that was committed before, for that attempt and epoch.

    Set-up calls (the marker's definition, subscriptions) carry none. A batch of OR04 names its first row.
    """
    for call, _ in our_writes(evidence):
        verdict.checked["I9"] += 1
        written = call.reference or ""
        row = evidence.operation_of.get(written.partition(".")[0])
        if row is None:
            verdict.violation(
                "I9",
                _order(call),
                call.at,
                f"{call.operation} was sent and no ledger row explains it.",
                f"reference {written or 'missing'}",
            )
            continue
        if row.planned_at > call.at + SAME_INSTANT:
            verdict.violation(
                "I9",
                _order(call),
                call.at,
                f"{call.operation} was sent before its ledger row was committed.",
                written,
            )
        reference = Reference.of(call.reference)
        if reference is not None and (reference.attempt > row.attempt or reference.epoch > row.epoch):
            verdict.violation(
                "I9",
                _order(call),
                call.at,
                f"{call.operation} was sent as attempt {reference.attempt} of epoch {reference.epoch}, which the "
                "ledger never began.",
                f"ledger: attempt {row.attempt} of epoch {row.epoch}",
            )


def i21_every_attempt_is_sent_once(evidence: Evidence, verdict: Verdict) -> None:
    """I21: one attempt in the ledger is one call, every answer of a person has a name and a reason, and the chain of the
    audit log is whole. A call refused for its token is repeated under the same attempt."""
    seen: dict[str, Call] = {}
    for call, _ in our_writes(evidence):
        if call.reference is None or Reference.of(call.reference) is None or call.operation in STAGING:
            continue
        verdict.checked["I21"] += 1
        key = f"{call.operation} {call.reference}"
        before = seen.get(key)
        if before is not None and before.status != 401 and not _refused_for_load(before):
            verdict.violation(
                "I21",
                _order(call),
                call.at,
                f"{call.operation} was sent twice under one attempt.",
                call.reference,
            )
        seen[key] = call
    for row in evidence.answers:
        verdict.checked["I21"] += 1
        if not row.who.strip() or not row.why.strip():
            verdict.violation(
                "I21", "", row.at, "An answer to a case has no name or no reason.", f"answer {row.id}"
            )
    verdict.checked["I21"] += evidence.audit.entries
    if not evidence.audit.whole:
        verdict.violation(
            "I21",
            "",
            evidence.now,
            "The audit log does not hold together.",
            f"entry {evidence.audit.broken_at}",
        )


def _refused_for_load(call: Call) -> bool:
    return call.status == 429 or "THROTTLED" in (call.detail.get("errors") or ())


def i10_one_writer_at_a_time(evidence: Evidence, verdict: Verdict) -> None:
    """I10: writes of an order never go back to an older epoch, and an unclear class C or D call of an older epoch is
    repeated only after the settle window. Calls that the network delayed are not ours to time."""
    by_order: dict[int, list[tuple[Call, Reference, Row[Any]]]] = {}
    for call, _ in our_writes(evidence):
        reference = Reference.of(call.reference)
        row = None if reference is None else evidence.operation_of.get(reference.operation)
        if reference is not None and row is not None and row.kind != "SetSellerReference":
            by_order.setdefault(row.order_id, []).append((call, reference, row))
    settle = {m.connection_id: m.rules.settle for m in evidence.marketplaces}
    for sent in by_order.values():
        newest: tuple[Call, Reference] | None = None
        last_of: dict[str, tuple[Call, Reference]] = {}
        for call, reference, row in sent:
            verdict.checked["I10"] += 1
            # Two platforms keep two logs: within one instant they do not tell which call came first.
            late = call.fault in DELAYED or (newest is not None and call.at <= newest[0].at)
            if newest is not None and reference.epoch < newest[1].epoch and not late:
                verdict.violation(
                    "I10",
                    _order(call),
                    call.at,
                    f"{call.operation} of epoch {reference.epoch} was sent after a write of epoch {newest[1].epoch}.",
                    f"{call.reference} after {newest[0].reference} at {newest[0].at:%H:%M:%S}",
                )
            before = last_of.get(row.id)
            if row.call_class in ("C", "D") and before is not None:
                _settled(verdict, call, before[0], settle.get(row.connection_id, MINUTE))
            if call.operation not in STAGING:
                last_of[row.id] = (call, reference)
            if newest is None or reference.epoch >= newest[1].epoch:
                newest = (call, reference)


def _settled(verdict: Verdict, call: Call, before: Call, settle: timedelta) -> None:
    unclear = before.fault in APPLIED_UNHEARD or before.fault in NOT_APPLIED_UNHEARD
    # The status of a refusal is heard although the rest of the answer broke off.
    unclear = unclear and not (before.fault in ("truncated", "items_missing") and 400 <= before.status < 500)
    if not unclear or before.fault in DELAYED or call.fault in DELAYED:
        return
    if call.at - before.at < settle - JITTER:
        verdict.violation(
            "I10",
            _order(call),
            call.at,
            f"{call.operation} was repeated {(call.at - before.at).total_seconds():.0f} s after an unclear attempt, "
            f"before the settle window of {settle.total_seconds():.0f} s was over.",
            f"{before.reference}, then {call.reference}",
        )


def i14_within_the_ceilings(evidence: Evidence, verdict: Verdict) -> None:
    """I14: the platforms refuse none of our calls for load on their own account, OR04 goes out at most once a minute,
    and OR11 at most once a minute besides the reads by id we allow ourselves.

    Finding out that a marketplace counts reads by id costs a few refused OR11 an hour, no more than such reads: bounded.
    """
    for marketplace in evidence.marketplaces:
        calls = sorted(
            (call for call in marketplace.record.calls if call.caller == marketplace.caller),
            key=lambda call: call.at,
        )
        _or04_spacing(marketplace, calls, verdict)
        _or11_rate(evidence, marketplace, calls, verdict)
        refused: dict[tuple[str, datetime], list[datetime]] = {}
        for call in calls:
            if call.status == 429 and call.fault is None:
                hour = call.at.replace(minute=0, second=0, microsecond=0)
                refused.setdefault((call.operation, hour), []).append(call.at)
        for (operation, hour), moments in refused.items():
            times = len(moments)
            sentence = f"{marketplace.name} refused {operation} for load {times} times in an hour."
            if operation == "OR11" and times <= min(_read_by_id_before(calls, moments[0]), LEARNING_429S):
                verdict.bound("I14", "", hour, sentence)
            else:
                verdict.violation("I14", "", hour, sentence)
    refused_here = [
        call
        for call in evidence.shopify.record.calls
        if call.caller == evidence.app and call.status == 429 and call.fault is None
    ]
    verdict.checked["I14"] += 1
    if refused_here:
        verdict.violation(
            "I14",
            "",
            refused_here[0].at,
            f"Shopify refused {len(refused_here)} calls of ours for load with 429.",
        )


def _read_by_id_before(calls: list[Call], moment: datetime) -> int:
    """How many reads by id were made in the hour until then, the refused one included."""
    return sum(
        call.operation == "OR11" and call.detail.get("read") == "by_id" and moment - HOUR <= call.at <= moment
        for call in calls
    )


def _or04_spacing(marketplace: Marketplace, calls: list[Call], verdict: Verdict) -> None:
    before: Call | None = None
    for call in calls:
        if call.operation != "OR04" or call.fault in DELAYED:
            continue
        verdict.checked["I14"] += 1
        if before is not None and call.at - before.at < MINUTE - JITTER:
            verdict.violation(
                "I14",
                "",
                call.at,
                f"OR04 was called twice within {(call.at - before.at).total_seconds():.0f} s.",
                marketplace.name,
            )
        before = call


def _or11_rate(evidence: Evidence, marketplace: Marketplace, calls: list[Call], verdict: Verdict) -> None:
    """One walk a minute with its pages, and by id as many reads as the connection allows itself; a call that the
    marketplace never saw counts for neither."""
    pages = 1 + len(marketplace.orders) // 100
    allowed = {"walk": pages, "by_id": BY_ID_READS}
    said = {"walk": "by walks", "by_id": "by id"}
    recent: dict[str, deque[datetime]] = {kind: deque() for kind in allowed}
    told: dict[str, None] = {}
    for call in calls:
        kind = call.detail.get("read")
        if call.operation != "OR11" or call.fault in DELAYED or kind not in allowed:
            continue
        verdict.checked["I14"] += 1
        times = recent[kind]
        while times and times[0] <= call.at - MINUTE + JITTER:
            times.popleft()
        times.append(call.at)
        if len(times) <= allowed[kind] or kind in told:
            continue
        told[kind] = None
        sentence = (
            f"OR11 was called {len(times)} times {said[kind]} within a minute; {allowed[kind]} are allowed."
        )
        if evidence.unavailable(call.at - STOOD_STILL, call.at):
            verdict.bound("I14", "", call.at, sentence, marketplace.name, "a worker had stood still")
        else:
            verdict.violation("I14", "", call.at, sentence, marketplace.name)


def i20_nothing_goes_in_circles(evidence: Evidence, verdict: Verdict) -> None:
    """I20: within an hour, an order is written to in at most 20 runs; then it is parked, and its case says so. Holds and
    the acceptance go out all the same."""
    runs: dict[tuple[int, datetime], set[int]] = {}
    for call, _ in our_writes(evidence):
        reference = Reference.of(call.reference)
        row = None if reference is None else evidence.operation_of.get(reference.operation)
        if reference is None or row is None or row.kind in UNPARKED:
            continue
        at = call.at + evidence.ahead
        hour = at.replace(minute=0, second=0, microsecond=0)
        runs.setdefault((row.order_id, hour), set()).add(reference.epoch)
    for (order_id, hour), epochs in runs.items():
        verdict.checked["I20"] += 1
        if len(epochs) > MOST_WRITING_RUNS + 1:
            verdict.violation(
                "I20", "", hour, f"Order row {order_id} was written to in {len(epochs)} runs within an hour."
            )


def i16_every_delivery_was_sent(evidence: Evidence, verdict: Verdict) -> None:
    """I16: each stored delivery stems from one that Shopify sent: same topic, same order, not before it was made. What a
    stranger sent is refused as it must be, and no row of it is stored."""
    stored = {row.webhook_id for row in evidence.deliveries}
    for forged in evidence.forged:
        verdict.checked[f"I16 {forged.kind}"] += 1
        if forged.answered != forged.wanted or forged.webhook_id in stored:
            verdict.violation(
                "I16",
                "",
                evidence.now,
                f"A delivery with a wrong {forged.kind} was not refused as it must be.",
                f"answered {forged.answered} instead of {forged.wanted}",
                f"webhook {forged.webhook_id} {'is' if forged.webhook_id in stored else 'is not'} stored",
            )
    sent: Counter[tuple[str, str]] = Counter()
    of_topic: Counter[str] = Counter()
    for effect in evidence.shopify.record.effects:
        if effect.kind in ("webhook_delivered", "webhook_failed"):
            sent[(effect.detail["topic"], effect.order_id)] += 1
            of_topic[effect.detail["topic"]] += 1
    for row in evidence.deliveries:
        verdict.checked["I16"] += 1
        if row.shopify_order_id is not None:
            sent[(row.topic, row.shopify_order_id)] -= 1
            fits = sent[(row.topic, row.shopify_order_id)] >= 0
        else:
            of_topic[row.topic] -= 1
            fits = of_topic[row.topic] >= 0
        if not fits:
            verdict.violation(
                "I16",
                "",
                row.received_at,
                f"A delivery of {row.topic} is stored that Shopify never sent.",
                f"webhook {row.webhook_id}, order {row.shopify_order_id or 'unnamed'}",
            )


def _order(call: Call) -> str:
    return call.order_ids[0] if call.order_ids else ""
