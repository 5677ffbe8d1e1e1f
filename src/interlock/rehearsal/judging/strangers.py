"""I17 for values nobody knows: they become a case, and nothing is written at the marketplace on the strength of them."""

from datetime import datetime, timedelta

from interlock.orders.reasons import Reason
from interlock.rehearsal.judging.evidence import Evidence, first_after
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict

ASKED_WITHIN = timedelta(minutes=2)
BESIDE_THE_ORDER = ("reference",)
"""Our number goes out in batches with those of other orders and says nothing about this one."""


def i17_unknown_values_are_asked_about(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17: from two minutes after a read that showed a value nobody knows, as long as it is shown, a case is open and
    Interlock changes nothing of the marketplace order."""
    if truth.row is None:
        return
    effects = [e for e in truth.marketplace.record.effects if e.order_id == truth.id]
    cases = evidence.cases_of(truth.row, Reason.UNKNOWN_VALUE.value)
    for span in truth.shown_instead(evidence):
        read = first_after(evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []), span.since)
        if read is None:
            continue
        due = evidence.due_after(read, ASKED_WITHIN)
        if due >= span.until:
            continue
        verdict.checked["I17 unknown"] += 1
        if not any(case.opened_at <= due and _open_at(case.closed_at, due) for case in cases):
            verdict.violation(
                "I17",
                truth.id,
                due,
                "A value nobody knows was shown and read, and no case says so.",
                f"read {read}",
            )
        for write in effects:
            ours = write.actor == truth.marketplace.us and write.kind not in BESIDE_THE_ORDER
            if ours and due < write.at < span.until:
                verdict.violation(
                    "I17",
                    truth.id,
                    write.at,
                    "Interlock wrote to an order of which it did not understand a value.",
                    write.kind,
                )


def _open_at(closed_at: datetime | None, moment: datetime) -> bool:
    return closed_at is None or closed_at > moment
