"""The manual's page about edits: one small table per change, written from the rules themselves."""

from collections.abc import Iterator

from interlock.edits.proof import Row, proof
from interlock.edits.rules import RULES, STANDING
from interlock.edits.table import ANSWERS, CHANGES, WITHOUT_CONSEQUENCE, Answer, Change, Situation

WORDS: dict[Situation, str] = {
    Situation.STAGING: "being checked by the marketplace",
    Situation.WAITING_ACCEPTANCE: "waiting for acceptance",
    Situation.ACCEPTED: "accepted and unpaid",
    Situation.SHIPPING_UNPAID: "ready to ship and unpaid",
    Situation.SHIPPING_PAID: "ready to ship and paid",
    Situation.PART_SHIPPED: "a part has left",
    Situation.REFUND_RUNNING: "its refund is asked for",
    Situation.INCIDENT_OPEN: "an incident is open",
    Situation.SHIPPED: "shipped",
    Situation.RECEIVED: "received",
    Situation.CLOSED: "closed",
    Situation.REFUSED: "refused",
    Situation.CANCELLED: "cancelled",
    Situation.UNKNOWN: "in a state nobody knows",
}


def page() -> str:
    """One section per change. Rows are asked from the top; the first whose situation and conditions hold answers."""
    found = proof()
    parts = [
        "# What becomes of an edit",
        "Every change on one side gets exactly one answer. Find the change, then read its table from the top: the first row "
        "whose situation and conditions hold is the answer. The parcel is held from the first moment in every row but those "
        f"where nothing is to be done. {found.combinations:,} combinations of changes, situations, payment workflows, flags, "
        "permissions and settings were enumerated to write this page, and every one has an answer.",
        "`interlock order explain NUMBER` says which row answered an order and why; `interlock edits table` prints this page "
        "for programs.",
    ]
    for change in Change:
        rows = [row for row in found.rules if row.change == change.value]
        parts.append(f"## {CHANGES[change]}")
        if change in WITHOUT_CONSEQUENCE:
            parts.append(
                "A fact rather than a rule: nothing follows from it, so Interlock does not look for it."
            )
        parts.append("\n".join(_table(rows)))
    parts.append("*Written from the code by `./dev generate`.*")
    return "\n\n".join(parts) + "\n"


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| when the order is | and | then | because |"
    yield "|---|---|---|---|"
    # A rule that answers in several situations is one row; rules keep the order in which they are asked.
    seen: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for rule in RULES:
        seen[tuple(c.name for c in rule.conditions), rule.answer.value, rule.sentence] = []
    for row in rows:
        seen[row.conditions, row.answer, row.sentence].append(row.situation)
    for (conditions, answer, sentence), situations in seen.items():
        if not situations:
            continue
        yield f"| {_when(situations)} | {'; '.join(conditions)} | **{ANSWERS[Answer(answer)]}** | {sentence} |"


def _when(situations: list[str]) -> str:
    found = [Situation(situation) for situation in situations]
    if len(found) == len(Situation):
        return "anything"
    if set(STANDING) <= set(found):
        found = [situation for situation in found if situation not in STANDING]
        return "; ".join(("anything before it leaves or ends", *(WORDS[situation] for situation in found)))
    return "; ".join(WORDS[situation] for situation in found)
