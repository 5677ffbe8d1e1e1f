"""The capability profile of a connection: what its marketplace allows, who says so, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from interlock.marketplaces.observed import Observation
from interlock.marketplaces.reasons import usable
from interlock.orders.capability import Capability
from interlock.orders.connection import ConnectionRules

EXTERNAL_PARTNER = timedelta(minutes=15)
UNSEEN_PARTNER = (
    "decides how often OR11 may be called; no answer of a marketplace says it, so it stays a setting"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the profile. `source` is the operation that answered it, `setting`, or `observed`; `at` is when it was
    read, set or seen. `verified` is false for what only a setting says."""

    name: str
    value: str
    source: str
    at: datetime | None
    verified: bool
    note: str = ""


def profile_of(
    rules: ConnectionRules,
    set_at: datetime,
    poll_interval: timedelta,
    capability: Capability | None,
    read_at: datetime | None,
    observations: Mapping[str, tuple[Observation, datetime]],
) -> tuple[Entry, ...]:
    """Every entry of the profile, what the marketplace says itself first."""
    return (
        *(() if capability is None else _read(capability, read_at)),
        *_set(rules, set_at, poll_interval, observations),
    )


def _read(capability: Capability, at: datetime | None) -> tuple[Entry, ...]:
    values = (
        ("tax mode", capability.tax_mode, "PC01"),
        ("acceptance", capability.acceptance, "PC01"),
        ("payment workflows", ", ".join(capability.workflows) or "none that PC01 names", "PC01"),
        ("address before acceptance", _flag(capability.address_before_acceptance), "PC01"),
        ("unregistered carriers", _flag(capability.unregistered_carriers), "PC01"),
        ("multi-shipment", _flag(capability.multi_shipment), "PC01"),
        ("time zone", capability.time_zone, "PC01"),
        ("cancelation reasons of the shop", _codes(usable(capability.cancelation_reasons)), "RE01"),
        ("refund reasons of the shop", _codes(usable(capability.refund_reasons)), "RE01"),
        ("shipping methods", ", ".join(capability.shipping_types) or "none", "SH12"),
        ("tracking mandatory for", ", ".join(capability.tracking_mandatory_for) or "none", "SH12"),
        ("registered carriers", str(len(capability.carriers)), "SH21"),
        ("currency", capability.currency, "A01"),
        ("shop", f"{capability.shop_name} ({capability.shop_state or 'state unknown'})", "A01"),
        ("model", capability.shop_model, "A01"),
    )
    return tuple(Entry(name, value or "not said", source, at, bool(value)) for name, value, source in values)


def _set(
    rules: ConnectionRules,
    at: datetime,
    poll_interval: timedelta,
    observations: Mapping[str, tuple[Observation, datetime]],
) -> tuple[Entry, ...]:
    window = rules.acceptance_window
    partner = "yes" if poll_interval >= EXTERNAL_PARTNER else "no"
    return (
        _window(window, at, observations),
        Entry("external partner", partner, "setting", at, False, UNSEEN_PARTNER),
        _learnt("partial acceptance", "partial_acceptance", rules.partial_acceptance, at, observations),
        _learnt("partial cancelation", "partial_cancelation", rules.partial_cancelation, at, observations),
        _learnt("refunds by the shop", "refunds", rules.reduction_after_debit != "task", at, observations),
        _learnt("messages", "messages", rules.messages, at, observations),
    )


def _window(
    window: timedelta | None, at: datetime, observations: Mapping[str, tuple[Observation, datetime]]
) -> Entry:
    """The time to accept as it is set, and what an order proved that the marketplace refused by itself."""
    name, value = "acceptance window", "not set" if window is None else _span(window)
    seen = observations.get("acceptance_window")
    if seen is None or window is None:
        return Entry(name, value, "setting", at, False)
    observation, seen_at = seen
    if observation.allowed:
        return Entry(name, value, "observed", seen_at, True, observation.evidence)
    return Entry(name, value, "setting", at, False, f"it is shorter: {observation.evidence}")


def _learnt(
    name: str,
    key: str,
    setting: bool,
    at: datetime,
    observations: Mapping[str, tuple[Observation, datetime]],
) -> Entry:
    """What a setting says until an answer of the marketplace proves or refutes it."""
    seen = observations.get(key)
    if seen is None:
        return Entry(name, _flag(setting), "setting", at, False)
    observation, seen_at = seen
    note = observation.evidence
    if observation.allowed != setting:
        note += f"; the setting says {_flag(setting)}"
    return Entry(name, _flag(observation.allowed), "observed", seen_at, True, note)


def changes_between(before: Capability, after: Capability) -> tuple[str, ...]:
    """The fields that differ, by name: waiting orders are decided again when there are any."""
    return tuple(
        field.name
        for field in fields(Capability)
        if getattr(before, field.name) != getattr(after, field.name)
    )


def _flag(value: bool | None) -> str:
    return "" if value is None else ("yes" if value else "no")


def _codes(reasons: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{code} ({label})" for code, label in reasons) or "none"


def _span(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:g} h" if hours >= 1 else f"{length / timedelta(minutes=1):g} min"
