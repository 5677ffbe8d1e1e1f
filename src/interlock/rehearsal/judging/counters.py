"""How often the interesting states occurred: a history that never met one proves nothing about it."""

from collections import Counter

from interlock.orders.actions import CancelQuantities
from interlock.orders.codec import decode
from interlock.orders.memory import Memory
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.snapshots import DEAD
from interlock.rehearsal.judging.calls import our_writes
from interlock.rehearsal.judging.evidence import (
    APPLIED_UNHEARD,
    NOT_APPLIED_UNHEARD,
    Evidence,
    Reference,
    went_well,
)
from interlock.rehearsal.judging.truth import SHOPIFY, Truth

DECISIONS = (
    Reason.EDIT_CANNOT_BE_EXPRESSED,
    Reason.REDUCTION_NOT_ALLOWED,
    Reason.REDUCTION_REFUSED,
    Reason.MARKETPLACE_CHANGED,
    Reason.CANCELLED_IN_SHOPIFY,
    Reason.POSSIBLE_SUCCESSOR,
)


def count(evidence: Evidence, found: list[Truth]) -> Counter[str]:
    """Every counter that the logs and tables of one history can tell. Only those that occurred are present."""
    counters: Counter[str] = Counter()
    _calls(evidence, counters)
    _webhooks(evidence, counters)
    _interruptions(evidence, counters)
    for truth in found:
        _marketplace(evidence, truth, counters)
        _shop(evidence, truth, counters)
        _memory(evidence, truth, counters)
    for case in evidence.cases:
        counters[f"case {case.reason}"] += 1
        if Reason(case.reason) in DECISIONS:
            counters["decision case opened"] += 1
        if CATALOGUE[Reason(case.reason)].kind == "incident":
            counters["incident opened"] += 1
    for row in evidence.answers:
        counters[f"answer {row.option}"] += 1
    return +counters


def _calls(evidence: Evidence, counters: Counter[str]) -> None:
    for call, _ in our_writes(evidence):
        if call.fault in APPLIED_UNHEARD:
            counters["outcome unknown, found applied"] += 1
        elif call.fault in NOT_APPLIED_UNHEARD:
            counters["outcome unknown, found not applied"] += 1
        if call.fault == "late_apply":
            counters["late commit"] += 1
        reference = Reference.of(call.reference)
        row = None if reference is None else evidence.operation_of.get(reference.operation)
        if reference is None or row is None or not went_well(call):
            continue
        if row.epoch > reference.epoch or row.code == "observed":
            counters["crash between send and commit"] += 1
    for call in evidence.our_calls():
        if call.status == 429 or "THROTTLED" in (call.detail.get("errors") or ()):
            counters["throttled"] += 1
        if call.operation == "OR11" and call.fault in ("html", "truncated"):
            counters["marketplace page failed"] += 1
        elif call.operation == "OR11" and call.fault is not None:
            counters["marketplace read failed"] += 1
    for row in evidence.operations:
        if row.kind in ("CancelQuantities", "CancelMiraklOrder") and row.state == "CONFIRMED":
            counters[f"{row.kind} confirmed"] += 1
        if row.state == "REJECTED" and row.attempt and row.code not in ("withdrawn", "not_applied"):
            counters["refused by a platform"] += 1
        if row.code == "observed":
            counters["settled by reading back"] += 1


def _webhooks(evidence: Evidence, counters: Counter[str]) -> None:
    for effect in evidence.shopify.record.effects:
        if effect.kind in ("webhook_lost", "webhook_failed", "subscription_removed"):
            counters[effect.kind.replace("_", " ")] += 1
    newest: dict[str, str] = {}
    for row in evidence.deliveries:
        gid = row.shopify_order_id or ""
        if gid and row.triggered_at < newest.get(gid, ""):
            counters["webhook reordered"] += 1
        newest[gid] = max(row.triggered_at, newest.get(gid, ""))
    for row in evidence.tallies:
        counters[row.name.replace("_", " ")] += int(row._mapping["count"])


def _interruptions(evidence: Evidence, counters: Counter[str]) -> None:
    for gap in evidence.interruptions:
        counters[gap.kind] += 1


def _marketplace(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    ours = truth.marketplace.us
    cut: dict[str, dict[str, None]] = {}
    for effect in truth.marketplace.record.effects:
        if effect.order_id != truth.id:
            continue
        match effect.kind:
            case "auto_refused":
                counters["auto-refused at the deadline"] += 1
            case "accepted" | "shipped" | "refused" if effect.actor == ours:
                counters[f"{effect.kind} by Interlock"] += 1
            case "cancelation":
                cut.setdefault(effect.detail["line"], {})[effect.actor] = None
            case "address_shown" if truth.at(effect.at).exists or truth.at(effect.at).drafts:
                counters["hidden address completed later"] += 1
            case _:
                pass
    for actors in cut.values():
        if ours in actors and len(actors) > 1:
            counters["operator race on one line"] += 1
    ended = next((m for m in truth.moments if m.state in DEAD), None)
    cancelled = next((m for m in truth.moments if m.side == SHOPIFY and m.kind == "cancelled"), None)
    if (
        ended is not None
        and cancelled is not None
        and cancelled.at > ended.at
        and cancelled.actor == evidence.us
    ):
        counters["marketplace cancellation mirrored"] += 1
    for row in evidence.operations_of.get(truth.row.id, []) if truth.row is not None else []:
        if row.kind == "CancelQuantities" and row.state == "CONFIRMED":
            counters["lines cut by Interlock"] += len(decode(CancelQuantities, row.action).lines)


def _shop(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    for effect in evidence.shopify_effects_of.get(truth.shopify_gid, []):
        match effect.kind:
            case "hold_placed" if effect.actor == evidence.us:
                counters["hold placed"] += 1
            case "hold_released" if effect.actor == evidence.us:
                counters["hold released"] += 1
            case "hold_released" if effect.detail.get("app") == evidence.app:
                counters["our hold released by staff"] += 1
            case "fulfillment_created":
                moment = truth.at(effect.at)
                if moment.must_not_move:
                    counters["label before hold"] += 1
            case _:
                pass
    for parcel in truth.parcels.values():
        if len(parcel.held) > 1:
            counters["held again"] += len(parcel.held) - 1
    counters["edit undone"] += _undone(truth)
    if truth.last.exists and truth.row is not None:
        rows = evidence.operations_of.get(truth.row.id, [])
        counters["duplicate draft deleted"] += sum(
            1 for row in rows if row.kind == "DeleteDraft" and row.state == "CONFIRMED"
        )
        for row in rows:
            if row.kind == "CreateDraft" and (row.code == "observed" or row.attempt > 1):
                counters["draft adopted after an unclear creation"] += 1
        unknown = evidence.cases_of(truth.row, Reason.CARRIER_UNKNOWN.value)
        if unknown and any(row.kind == "ShipOrder" and row.state == "CONFIRMED" for row in rows):
            counters["unknown carrier, then mapped and shipped"] += 1


def _undone(truth: Truth) -> int:
    """Edits that brought back what an edit had taken, with nothing cancelled at the marketplace meanwhile."""
    edits = [m for m in truth.moments if m.side == SHOPIFY and m.kind in ("order_created", "edited")]
    return sum(
        1
        for first, second, third in zip(edits, edits[1:], edits[2:], strict=False)
        if first.own == third.own != second.own and first.agreed == third.agreed
    )


def _memory(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    memory: Memory = truth.memory
    counters["refund task opened"] += len(memory.refund_tasks)
    counters["refund task settled"] += sum(1 for task in memory.refund_tasks if task.settled_at is not None)
    if memory.custom_line_skus or any(d.option is Option.CREATE_WITH_CUSTOM_LINE for d in memory.decisions):
        counters["custom line"] += 1
    counters["units withdrawn"] += sum(w.quantity for w in memory.withdrawn)
    counters["epochs above 20"] += int(truth.row is not None and truth.row.epoch > 20)
