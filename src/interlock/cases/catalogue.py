"""The catalogue as programs and people read it, and under which code each trouble the business names is kept."""

from dataclasses import dataclass

from interlock.orders.reasons import CATALOGUE, Reason, manual_page


@dataclass(frozen=True, slots=True)
class DamageEntry:
    """When a case begins to cost something, what, and which money. `after_hours` is set where damage begins a while
    after the case opened."""

    when: str
    after_hours: float | None
    costs: str
    money_at_risk: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason of the catalogue as `interlock cases catalogue --json` prints it."""

    code: str
    title: str
    kind: str
    handled_by: str
    owner: str
    severity: str
    damage: DamageEntry
    evidence: str
    closes_when: str
    options: tuple[str, ...]
    manual_page: str


def entries() -> tuple[Entry, ...]:
    """Every reason, in the order of the catalogue."""
    return tuple(entry_of(reason) for reason in CATALOGUE)


def entry_of(reason: Reason) -> Entry:
    """What the catalogue says of one reason."""
    page = CATALOGUE[reason]
    after = page.damage.after
    return Entry(
        code=reason.value,
        title=page.title,
        kind=page.kind,
        handled_by=page.handled_by,
        owner=page.owner,
        severity=page.severity,
        damage=DamageEntry(
            page.damage.when.value,
            None if after is None else after.total_seconds() / 3600,
            page.damage.costs,
            page.damage.at_risk,
        ),
        evidence=page.evidence,
        closes_when=page.closes_when,
        options=tuple(option.value for option in page.options),
        manual_page=manual_page(reason),
    )
