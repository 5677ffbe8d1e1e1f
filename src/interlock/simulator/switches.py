"""What nobody knows yet about the platforms, as named switches with every plausible value."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One open question about a platform. `reference` names the section that leaves it open. `room` names the part of
    the platform whose own random choices give it a value; empty for those that are drawn with the first ones."""

    name: str
    platform: str
    reference: str
    question: str
    values: tuple[str, ...]
    default: str
    how_to_settle: str
    room: str = ""

    def __post_init__(self) -> None:
        if self.default not in self.values:
            raise ValueError(f"Switch {self.name}: the default {self.default!r} is not one of {self.values}.")


class UnknownSwitch(ValueError):
    """A switch or a value was named that does not exist."""


class Switches:
    """The values in force for one simulated platform."""

    def __init__(self, known: Iterable[Switch], values: Mapping[str, str] | None = None) -> None:
        self._known = {switch.name: switch for switch in known}
        self._values = {name: switch.default for name, switch in self._known.items()}
        for name, value in (values or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def set(self, name: str, value: str) -> None:
        """Raises UnknownSwitch, naming what exists."""
        switch = self._known.get(name)
        if switch is None:
            raise UnknownSwitch(f"There is no switch {name!r}. Known: {', '.join(sorted(self._known))}.")
        if value not in switch.values:
            raise UnknownSwitch(
                f"Switch {name} cannot be {value!r}. It is one of: {', '.join(switch.values)}."
            )
        self._values[name] = value

    def draw(self, rng: random.Random) -> None:
        """Give every switch of no room a random value."""
        self._draw(rng, "")

    def draw_rooms(self, seed: int) -> None:
        """Give every switch of a room a value out of the room's own choices, so that a room that is added changes
        nothing of what else a seed draws."""
        for room in sorted({switch.room for switch in self._known.values()} - {""}):
            self._draw(random.Random(f"{seed}:switches of {room}"), room)

    def _draw(self, rng: random.Random, room: str) -> None:
        for name in sorted(self._known):
            if self._known[name].room == room:
                self._values[name] = rng.choice(self._known[name].values)

    def as_dict(self) -> dict[str, str]:
        return dict(self._values)
