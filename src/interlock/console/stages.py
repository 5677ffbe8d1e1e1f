"""Where an order stands on its way, as five stages: the picture on the order's page and the bar in lists."""

from dataclasses import dataclass
from typing import Literal

from interlock.orders.memory import Memory
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT

Mark = Literal["done", "now", "trouble", "open", "off"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One station. `mark` says how far it is: done, under way, in trouble, still to come, or never to come."""

    name: str
    mark: Mark
    note: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All stations and one sentence. `tone` is the worst of it, for a colour."""

    stages: tuple[Stage, ...]
    sentence: str
    tone: Mark


@dataclass(frozen=True, slots=True)
class Need:
    """What the open cases of an order need. `person` says that somebody has to answer one of them, `waits_for` what an
    answer that was given waits for; empty where none waits."""

    person: bool = False
    waits_for: str = ""


def standing_of(memory: Memory, mirakl_state: str | None, need: Need, differs: bool) -> Standing:
    """Where an order stands, from what it remembers and the marketplace's last known state.

    `need` is what its open cases need, `differs` is true while the two sides are known to differ.
    """
    state = mirakl_state or ""
    dead, gone = state in DEAD, state in GONE_OUT
    linked = bool(memory.shopify_order_id)
    accepted = memory.accepted_seen_at is not None or bool(state and state not in (*BEFORE_ACCEPTANCE, *DEAD))
    released = memory.released_at is not None
    stages = (
        _station("Imported", linked, need.person, dead, "in Shopify", "not in Shopify yet"),
        _station(
            "Accepted", accepted, need.person and not linked, dead, "marketplace told", "not accepted yet"
        ),
        _held(bool(memory.held), released or gone, linked, dead),
        _agreed(differs, released or gone, linked and accepted, dead),
        _station("Shipped", gone, False, dead, "both sides know", "not yet", waits=not released),
    )
    if dead:
        word = "refused" if state == "REFUSED" else "cancelled"
        return _ended(stages, f"This order was {word} at the marketplace", "off", need)
    if gone:
        return _ended(stages, "The parcel is on its way and the marketplace knows", "done", need)
    if need.person:
        return Standing(stages, "It waits for a person.", "trouble")
    if need.waits_for:
        return Standing(stages, f"It waits for {need.waits_for}.", "now")
    if differs:
        parcel = "the parcel is held until they agree" if memory.held else "our hold is not on the parcel"
        return Standing(stages, f"The two sides differ; {parcel}.", "now")
    if released:
        return Standing(stages, "Both sides agree; the parcel may leave.", "done")
    current = next((stage for stage in stages if stage.mark in ("now", "open")), stages[-1])
    sentences = {
        "Imported": "It is being brought into Shopify.",
        "Accepted": "It exists in Shopify; the marketplace is being told yes.",
        "Held": "The parcel is being put on hold.",
        "Agreed": "The parcel is held until the marketplace is ready to ship.",
    }
    return Standing(stages, sentences.get(current.name, "It is on its way."), "now")


def _ended(stages: tuple[Stage, ...], what: str, tone: Mark, need: Need) -> Standing:
    """An order that has gone out or ended, with what its open cases still need."""
    if need.person:
        return Standing(stages, f"{what}; a case waits for a person.", "trouble")
    if need.waits_for:
        return Standing(stages, f"{what}; a case waits for {need.waits_for}.", "now")
    return Standing(stages, f"{what}.", tone)


def _station(
    name: str, done: bool, trouble: bool, dead: bool, note: str, not_yet: str, waits: bool = False
) -> Stage:
    if done:
        return Stage(name, "done", note)
    if dead:
        return Stage(name, "off", "")
    if trouble:
        return Stage(name, "trouble", not_yet)
    return Stage(name, "open" if waits else "now", not_yet)


def _held(held: bool, released: bool, linked: bool, dead: bool) -> Stage:
    if released:
        return Stage("Held", "done", "released")
    if held:
        return Stage("Held", "done" if dead else "now", "parcel stopped")
    return Stage("Held", "off" if dead else ("now" if linked else "open"), "" if dead else "not yet")


def _agreed(differs: bool, released: bool, ready: bool, dead: bool) -> Stage:
    if dead:
        return Stage("Agreed", "off", "")
    if differs:
        return Stage("Agreed", "trouble", "the sides differ")
    if released:
        return Stage("Agreed", "done", "line by line")
    return Stage("Agreed", "now" if ready else "open", "not yet")
