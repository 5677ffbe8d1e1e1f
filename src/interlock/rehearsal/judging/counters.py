"""How often the interesting states occurred: a history that never met one proves nothing about it."""

import itertools
from collections import Counter

from interlock.orders.actions import CancelQuantities, EditShopifyOrder, RefundLines
from interlock.orders.codec import decode
from interlock.orders.memory import Memory
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.rehearsal.judging.calls import our_writes
from interlock.rehearsal.judging.evidence import (
    APPLIED_UNHEARD,
    NOT_APPLIED_UNHEARD,
    Evidence,
    Reference,
    went_well,
)
from interlock.rehearsal.judging.parcels import count_parcels
from interlock.rehearsal.judging.truth import SHOPIFY, Truth

DECISIONS = (
    Reason.BOTH_SIDES_CHANGED,
    Reason.ORIGINAL_NOT_CANCELLED,
    Reason.REPLACEMENT_SPLIT,
    Reason.REPLACEMENT_MERGED,
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
        _edits(evidence, truth, counters)
        _lineage(evidence, truth, counters)
        _services(evidence, truth, counters)
        _bundles(evidence, truth, counters)
        counters.update(count_parcels(evidence, truth))
    for case in evidence.cases:
        counters[f"case {case.reason}"] += 1
        if Reason(case.reason) in DECISIONS:
            counters["decision case opened"] += 1
        if CATALOGUE[Reason(case.reason)].kind == "incident":
            counters["incident opened"] += 1
        if case.reason == Reason.REFUND_APPROVAL.value and "a second, different person" in case.sentence:
            counters["second approval asked for"] += 1
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
        counters["marketplace list was behind"] += len(call.detail.get("behind", ()))
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
    for effect in truth.effects(evidence):
        match effect.kind:
            case "app_cancel_refused":
                counters["an app's cancel came too late"] += 1
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


def _edits(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    """What became of edits: our own edits of the Shopify order, refunds, messages, and the steps of our desk."""
    rows = evidence.operations_of.get(truth.row.id, []) if truth.row is not None else []
    for row in rows:
        confirmed = row.state == "CONFIRMED"
        match row.kind:
            case "EditShopifyOrder" if confirmed:
                action = decode(EditShopifyOrder, row.action)
                counters[f"{_purpose(truth, action)} made in Shopify"] += 1
            case "RefundLines" if row.attempt:
                counters["OR28 sent"] += 1
                counters["OR28 confirmed"] += int(confirmed)
                counters["OR28 refused"] += int(row.state == "REJECTED")
                counters["OR28 settled by reading back"] += int(row.code == "observed")
                subject = decode(RefundLines, row.action).subject
                people = evidence.answers_of(truth.row, Option.APPROVE_REFUND.value)
                approved = sum(1 for said in people if said.subject == subject)
                counters[f"OR28 with {approved} approvals"] += 1
            case "SendMessage" if confirmed:
                counters["message to the customer sent"] += 1
            case "SetOrderAddress" | "FillOrderAddress" | "ClearMarker" | "AskServiceToStop" if confirmed:
                counters[f"{row.kind} confirmed"] += 1
            case _:
                pass
    for edit in truth.memory.desk_edits:
        counters[f"desk edit of {edit.kind}"] += 1
        for step in ("taken_at", "held_at", "shown_at", "agreed_at"):
            counters[f"desk edit {step.removesuffix('_at')}"] += int(getattr(edit, step) is not None)
        if edit.ended:
            counters[f"desk edit {edit.ended}"] += 1
    for decision in truth.memory.decisions:
        counters["shipped as edited"] += int(
            decision.option is Option.SHIP_AS_EDITED
            and truth.last.as_decided
            and truth.last.state in GONE_OUT
        )
    counters["task of an edit after debit"] += sum(
        1 for task in truth.memory.refund_tasks if task.subject.startswith("edit:")
    )


def _purpose(truth: Truth, action: EditShopifyOrder) -> str:
    if action.subject.startswith("mirror:"):
        return "mirror of the marketplace"
    undo = action.subject.startswith("undo:") or any(
        edit.id == action.subject and edit.kind == "undo" for edit in truth.memory.desk_edits
    )
    return "undo" if undo else "desk edit"


def _lineage(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    for at, gid in truth.linked[1:]:
        kin = truth.memory.kin(gid)
        by = "Interlock" if kin is None else kin.who
        counters["taken over by itself" if by == "Interlock" else "taken over by a person's word"] += 1
        counters["taken back"] += int(any(gid == former for since, former in truth.linked if since < at))
    counters["lineage of three or more"] += int(len(truth.gids) > 2)
    roles = {role for _, _, role in evidence.kin.get(truth.row.id, [])} if truth.row is not None else set()
    for role in sorted(roles):
        counters[f"lineage with {role}"] += 1


def _services(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    for effect in truth.effects(evidence):
        match effect.kind:
            case "service_asked" if effect.actor == evidence.us:
                counters["service asked to stop"] += 1
            case "service_answered" if effect.detail["request"] in (
                "CANCELLATION_ACCEPTED",
                "CANCELLATION_REJECTED",
            ):
                counters[f"service: {effect.detail['request'].lower().replace('_', ' ')}"] += 1
            case "label_purchase_started" | "display_status_changed":
                counters[effect.kind.replace("_", " ")] += 1
            case _:
                pass
    for case in evidence.cases_of(truth.row, Reason.SERVICE_DOES_NOT_STOP.value):
        counters["service did not answer"] += int("has not answered" in case.sentence)


def _bundles(evidence: Evidence, truth: Truth, counters: Counter[str]) -> None:
    """Marketplace lines that are several articles in Shopify, and what became of them."""
    if not truth.articles.of_line:
        return
    stood = [moment for moment in truth.moments if moment.exists]
    counters["bundle sold"] += len(truth.articles.of_line) if stood else 0
    for before, after in itertools.pairwise(stood):
        if before.gid != after.gid or after.side != SHOPIFY or after.kind not in ("edited", "refund_created"):
            continue
        if truth.articles.counted(before.own, truth.line_of) == truth.articles.counted(
            after.own, truth.line_of
        ):
            continue
        counters["bundle edited by Interlock" if after.actor == evidence.us else "bundle edited"] += 1
        counters["bundle taken apart"] += len(after.broken.keys() - before.broken.keys())
    for effect in truth.marketplace.record.effects:
        ours = effect.order_id == truth.id and effect.actor == truth.marketplace.us
        if ours and effect.kind == "cancelation" and effect.detail["line"] in truth.articles.of_line:
            counters["bundle cut by Interlock"] += 1
    counters["bundle left"] += sum(
        1 for line in truth.articles.of_line if truth.last.left.get(line, 0) and truth.last.state in GONE_OUT
    )
