"""What goes wrong in a rehearsal, drawn from its seed: a random half of all faults at random rates (swarm)."""

import random
from collections import Counter
from dataclasses import dataclass, field

from interlock.simulator.faults import FAULT_KINDS, Fault

ANYWHERE = tuple(kind for kind in FAULT_KINDS if kind != "items_missing")
"""Faults that may meet every call; missing items mean something only where items are answered one by one."""

STATUSES = (500, 502, 503, 504)
HIGHEST_RATE = 0.06


@dataclass
class SeededFaults:
    """A fault plan for one platform. `active` is switched off for set-up and for the quiet end; `down` counts who
    keeps the platform away at the moment; `armed` are faults that wait for the next calls of one operation. While it is
    `away` it is so also in the quiet end. A call takes hold at most 40 s late, times `lateness`."""

    rng: random.Random
    rates: dict[str, float]
    active: bool = False
    injected: Counter[str] = field(default_factory=Counter)
    down: int = 0
    armed: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    lateness: float = 1.0

    def next_fault(self, operation: str) -> Fault | None:
        if self.away:
            self.injected["platform away"] += 1
            return Fault("refused_before")
        if not self.active:
            return None
        if self.down:
            self.injected["platform away"] += 1
            return Fault("refused_before")
        for index, (wanted, kind) in enumerate(self.armed):
            if wanted == operation:
                del self.armed[index]
                self.injected[kind] += 1
                return self._fault(kind)
        for kind, rate in self.rates.items():
            if self.rng.random() < rate:
                self.injected[kind] += 1
                return self._fault(kind)
        return None

    def _fault(self, kind: str) -> Fault:
        match kind:
            case "late_apply":
                return Fault(kind, seconds=self.rng.uniform(1, 40) * self.lateness)
            case "rate_limited":
                return Fault(kind, seconds=self.rng.choice((0.0, 2.0, 20.0)))
            case "slow":
                return Fault(kind, seconds=self.rng.uniform(1, 30))
            case "server_error" | "server_error_after":
                return Fault(kind, status=self.rng.choice(STATUSES))
            case _:
                return Fault(kind)


def drawn(rng: random.Random) -> SeededFaults:
    """Half of the fault kinds, each at a rate of its own."""
    chosen = [kind for kind in ANYWHERE if rng.random() < 0.5]
    rates = {kind: rng.uniform(0.003, HIGHEST_RATE) for kind in chosen}
    return SeededFaults(random.Random(rng.getrandbits(64)), rates)


def none() -> SeededFaults:
    """A platform that behaves."""
    return SeededFaults(random.Random(0), {})
