"""What a simulated platform remembers for its judges: every call it received and every effect it had."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Call:
    """One HTTP request as the platform saw it.

    `operation` is the platform's own word: an operation code such as `OR30`, or a GraphQL root field such as
    `orderCreate` (several are joined with `+`). `reference` is the caller's `X-Client-Reference` header, which
    lets a judge tie a call to the caller's own ledger. `fault` names the fault that was injected, if any; `late` is how
    long it kept the request from the platform after the caller had sent it.
    """

    at: datetime
    ended_at: datetime
    operation: str
    caller: str
    reference: str | None
    status: int
    order_ids: tuple[str, ...] = ()
    fault: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    late: timedelta = timedelta(0)

    @property
    def sent_at(self) -> datetime:
        """When it left the caller."""
        return self.at - self.late


@dataclass(frozen=True)
class Effect:
    """One change of platform state. `actor` is who did it: `api:<caller>`, `customer`, `operator`, `staff`,
    `picker`, `app:<name>`, or `system` for the platform's own timers."""

    at: datetime
    actor: str
    kind: str
    order_id: str
    reference: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Record:
    """The two logs, in the order things happened. Nothing is ever removed."""

    calls: list[Call] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
