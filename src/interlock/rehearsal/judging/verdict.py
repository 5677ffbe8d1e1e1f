"""What the judge says of a history: what was broken, what was bounded, and what really occurred."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the judge saw. `order` is the marketplace order's id, empty where it concerns none; `evidence` are
    facts in words that somebody can look up."""

    invariant: str
    order: str
    at: datetime
    sentence: str
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        facts = "; ".join(self.evidence)
        where = f" {self.order}" if self.order else ""
        return f"{self.invariant}{where} at {self.at:%Y-%m-%d %H:%M:%S}: {self.sentence}" + (
            f" ({facts})" if facts else ""
        )


class Violation(Finding):
    """The invariant was broken: a defect of the service."""

    __slots__ = ()


class Bounded(Finding):
    """It happened outside what software can prevent, and was answered as promised."""

    __slots__ = ()


@dataclass
class Verdict:
    """The judge's answer. `checked` counts how often each invariant had something to say yes or no to; `counters` how
    often each interesting state occurred, so that a run without it proves nothing about it."""

    broken: list[Violation] = field(default_factory=list)
    bounded: list[Bounded] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)

    @property
    def held(self) -> bool:
        """Whether no invariant was broken."""
        return not self.broken

    def violation(self, invariant: str, order: str, at: datetime, sentence: str, *evidence: str) -> None:
        self.broken.append(Violation(invariant, order, at, sentence, evidence))

    def bound(self, invariant: str, order: str, at: datetime, sentence: str, *evidence: str) -> None:
        self.bounded.append(Bounded(invariant, order, at, sentence, evidence))
