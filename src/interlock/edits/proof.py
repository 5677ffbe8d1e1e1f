"""The rules evaluated over the whole product of changes, situations and facts: is any combination unanswered, is any
rule idle?

The product has billions of combinations, but a rule reads few facts. Each walk starts with a change and a situation
alone and lets a rule read; a fact nobody has chosen yet stops it, and it goes on once with every value that fact can
have. What a finished walk never read cannot change its answer, so it stands for all values of the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from math import prod
from typing import cast, get_args

from interlock.edits.rules import RULES, first_match
from interlock.edits.table import Change, Facts, Rule, Situation, Workflow
from interlock.orders.connection import ReductionAfterDebit

Value = object
BOTH = (False, True)
ALL_VALUES: dict[str, tuple[Value, ...]] = {
    field.name: BOTH for field in fields(Facts) if field.name != "situation"
} | {"workflow": tuple(Workflow), "after_debit": get_args(ReductionAfterDebit)}
NOT_PAID = (Situation.STAGING, Situation.WAITING_ACCEPTANCE, Situation.ACCEPTED, Situation.SHIPPING_UNPAID)


def values_of(fact: str, situation: Situation) -> tuple[Value, ...]:
    """The values a fact can have in a situation: some situations are defined by them."""
    if fact == "paid" and situation in NOT_PAID:
        return (False,)
    if fact == "paid" and situation is Situation.SHIPPING_PAID:
        return (True,)
    if fact == "units_left" and situation is Situation.PART_SHIPPED:
        return (True,)
    if fact == "units_left" and situation in (Situation.SHIPPING_UNPAID, Situation.SHIPPING_PAID):
        return (False,)
    return ALL_VALUES[fact]


@dataclass(frozen=True, slots=True)
class Walk:
    """The facts that were read until a rule answered, and how many combinations have them."""

    change: Change
    situation: Situation
    read: tuple[tuple[str, Value], ...]
    rule: Rule | None
    combinations: int


@dataclass(frozen=True, slots=True)
class Row:
    """One rule as it answers one change in one situation."""

    change: str
    situation: str
    conditions: tuple[str, ...]
    answer: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Proof:
    """`rules` are the rules that answer, per change and situation, in the order in which they are asked.
    `unreachable_rules` names every rule that no combination reaches, for a change or in a situation it lists."""

    rules: tuple[Row, ...]
    combinations: int
    unanswered: int
    unreachable_rules: tuple[str, ...]


class _Unread(Exception):
    def __init__(self, fact: str) -> None:
        self.fact = fact


class _SoFar:
    """Facts of which only some are chosen."""

    def __init__(self, chosen: dict[str, Value]) -> None:
        self._chosen = chosen

    def __getattr__(self, fact: str) -> Value:
        if fact in self._chosen:
            return self._chosen[fact]
        raise _Unread(fact)


def walks(change: Change, situation: Situation) -> Iterator[Walk]:
    """Every way the rules can answer a change in a situation; together they are all its combinations."""
    pending: list[dict[str, Value]] = [{"situation": situation}]
    while pending:
        chosen = pending.pop()
        try:
            rule = first_match(change, cast(Facts, _SoFar(chosen)))
        except _Unread as unread:
            pending += [{**chosen, unread.fact: value} for value in values_of(unread.fact, situation)]
        else:
            rest = prod(len(values_of(fact, situation)) for fact in ALL_VALUES if fact not in chosen)
            yield Walk(change, situation, tuple(chosen.items()), rule, rest)


@cache
def proof() -> Proof:
    """The rules over their whole product."""
    rows: list[Row] = []
    combinations = unanswered = 0
    reached: set[tuple[Change, Situation, int]] = set()
    number = {id(rule): n for n, rule in enumerate(RULES)}
    for change in Change:
        for situation in Situation:
            found = set()
            for walk in walks(change, situation):
                combinations += walk.combinations
                if walk.rule is None:
                    unanswered += walk.combinations
                else:
                    found.add(number[id(walk.rule)])
            rows += [_row(change, situation, RULES[n]) for n in sorted(found)]
            reached |= {(change, situation, n) for n in found}
    return Proof(tuple(rows), combinations, unanswered, tuple(_unreachable(reached)))


def _row(change: Change, situation: Situation, rule: Rule) -> Row:
    return Row(
        change.value,
        situation.value,
        tuple(condition.name for condition in rule.conditions),
        rule.answer.value,
        rule.sentence,
    )


def _unreachable(reached: set[tuple[Change, Situation, int]]) -> Iterator[str]:
    changes = {(n, change) for change, _, n in reached}
    situations = {(n, situation) for _, situation, n in reached}
    for n, rule in enumerate(RULES):
        idle = [str(change) for change in rule.changes if (n, change) not in changes]
        idle += [str(situation) for situation in rule.situations if (n, situation) not in situations]
        if idle:
            yield f"rule {n + 1} never answers for {', '.join(idle)}: {rule.sentence}"
