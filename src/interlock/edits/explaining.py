"""Which rule answered a difference, what it looked at, and what would change its answer: read from the rules themselves."""

from dataclasses import dataclass, replace
from typing import Any, cast

from interlock.edits.diff import differences
from interlock.edits.proof import values_of
from interlock.edits.reading import Edit, Judged
from interlock.edits.rules import RULES, first_match, rule_for
from interlock.edits.sentences import sentence_of
from interlock.edits.table import ANSWERS, CHANGES, FACT_VALUES, FACTS, Answer, Change, Facts
from interlock.orders.memory import Memory
from interlock.orders.view import View

OTHERS_CHANGE = (
    "can_cancel",
    "can_refund",
    "can_ship",
    "partial_cancelation",
    "partial_acceptance",
    "reason_code",
    "after_debit",
    "mirror",
    "editable",
    "paid",
    "rest_impossible",
    "marketplace_changed",
    "lineage_open",
    "refund_declined",
)
"""Facts that can come to be otherwise while the edit stays what it is."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One difference and its answer. `rule` is the number of the rule, counted from the top. `facts` are those the rules
    looked at until one answered, each with its value. `would_change` names other values that lead to other answers."""

    difference: str
    change: str
    rule: int
    answer: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    would_change: tuple[str, ...]


def explained(view: View, memory: Memory) -> tuple[Explained, ...]:
    """Every difference between the two sides, explained; an order cancelled in Shopify is one difference. Empty while a
    side is missing."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not memory.shopify_order_id:
        return ()
    edit = Edit(view, mirakl, shopify, memory, differences(view, memory))
    if not shopify.live:
        return (_explained(edit, edit.judged_end()),)
    found = tuple((one, _explained(edit, one)) for one in edit.judged())
    return tuple(
        _withheld(said) if memory.candidates and one.rule.answer is not Answer.NOTHING else said
        for one, said in found
    )


def _withheld(said: Explained) -> Explained:
    """The same while another order may take this one's place: the rule is the one that answers afterwards."""
    return replace(
        said,
        answer=ANSWERS[Answer.WAIT_FOR_LINEAGE],
        sentence=f"No edit is carried across until it is settled which Shopify order stands. After that: {said.sentence}",
        would_change=(f"Once that is settled for this order: {said.answer}.", *said.would_change),
    )


def _explained(edit: Edit, one: Judged) -> Explained:
    if one.difference is None:
        what = f"{CHANGES[one.change]}."
    else:
        what = sentence_of(one.difference, edit.mirakl.currency)
    used = facts_used(one.change, one.facts)
    return Explained(
        what,
        one.change.value,
        1 + next(n for n, rule in enumerate(RULES) if rule is one.rule),
        ANSWERS[one.rule.answer],
        one.rule.sentence,
        tuple((FACTS[name], _shown(name, getattr(one.facts, name))) for name in used),
        tuple(_would_change(one, used)),
    )


class _Watched:
    """Facts that note which of them were read."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.read: dict[str, None] = {}

    def __getattr__(self, name: str) -> object:
        self.read[name] = None
        return getattr(self._facts, name)


def facts_used(change: Change, facts: Facts) -> tuple[str, ...]:
    """The facts the rules look at to answer this change, in the order in which they do."""
    watched = _Watched(facts)
    first_match(change, cast(Facts, watched))
    return tuple(watched.read)


def _would_change(one: Judged, used: tuple[str, ...]) -> list[str]:
    found = []
    for name in used:
        if name not in OTHERS_CHANGE:
            continue
        now = getattr(one.facts, name)
        for value in values_of(name, one.facts.situation):
            changed: dict[str, Any] = {name: value}
            other = rule_for(one.change, replace(one.facts, **changed))
            if value != now and other.answer is not one.rule.answer and other.answer is not Answer.IMPOSSIBLE:
                found.append(f"If “{FACTS[name]}” were {_shown(name, value)}: {ANSWERS[other.answer]}.")
    return found


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return FACT_VALUES.get(name, {}).get(str(value), str(value))
