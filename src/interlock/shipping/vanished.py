"""What a marketplace's lists of carriers and shipping methods lost, and which parcels that concerns, before one needs it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from interlock.orders.connection import Carrier, CarrierMapping, ConnectionRules
from interlock.shipping.carriers import mappings_for
from interlock.shipping.history import described
from interlock.shipping.names import key
from interlock.shipping.suggest import Suggestion, exact_match, suggest

LOOKED_BACK = timedelta(days=30)
"""Parcels of orders younger than that tell which names are in use."""

_SHOWN = 10

METHOD = "shipping method "
"""How the subject of a case about a shipping method begins; that of a carrier is its code."""


@dataclass(frozen=True, slots=True)
class ParcelName:
    """How the shop named the carrier of lately seen parcels with this destination and shipping method, and how many."""

    name: str
    country: str
    service: str
    parcels: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """A code that parcels resolve by and the marketplace does not have any more. `subject` is one cause; `parcels` is how
    many of the parcels lately seen it concerns."""

    subject: str
    sentence: str
    parcels: int


def called(carriers: tuple[Carrier, ...]) -> dict[str, str]:
    """A list of carriers (SH21) as its changes are kept: what each code is called."""
    return {carrier.code: carrier.label or carrier.code for carrier in carriers}


def vanished(
    rules: ConnectionRules,
    methods: tuple[str, ...],
    former: tuple[Carrier, ...],
    names: tuple[ParcelName, ...],
) -> tuple[Vanished, ...]:
    """Every code that is missed, by subject: a carrier's (SH21), to which a mapping leads or which parcels found by its very
    name, or a shipping method's (SH12), for which alone a mapping holds.

    `methods` are the shipping methods now. `former` are carriers as the list had them once and has them no longer, gone
    or called otherwise; what the list has under the same code and name is not missed.
    """
    carriers = _carriers(rules, former, names)
    return tuple(sorted((*carriers, *_methods(rules, methods, names)), key=lambda one: one.subject))


def _carriers(
    rules: ConnectionRules, former: tuple[Carrier, ...], names: tuple[ParcelName, ...]
) -> list[Vanished]:
    registered = {carrier.code: carrier for carrier in rules.carriers}
    mapped: dict[str, list[CarrierMapping]] = {}
    for mapping in rules.carrier_mappings:
        if mapping.code and mapping.code not in registered:
            mapped.setdefault(mapping.code, []).append(mapping)
    by_name: dict[str, list[ParcelName]] = {}
    for carrier in former:
        for one in names:
            if _missed_by(rules, carrier, one):
                by_name.setdefault(carrier.code, []).append(one)
    found = []
    for code in sorted({*mapped, *by_name}):
        mappings, unmapped = mapped.get(code, []), list(dict.fromkeys(by_name.get(code, [])))
        parcels = sum(
            one.parcels for one in names if one in unmapped or any(m in mappings for m in _leads(rules, one))
        )
        found.append(
            Vanished(code, _of_carrier(rules, code, code in registered, mappings, unmapped, parcels), parcels)
        )
    return found


def _missed_by(rules: ConnectionRules, carrier: Carrier, one: ParcelName) -> bool:
    """Whether a parcel of this name found the carrier as it was called by its very name, and finds none by it now."""
    if _leads(rules, one) or exact_match(rules.carriers, one.name) is not None:
        return False
    others = tuple(other for other in rules.carriers if other.code != carrier.code)
    return exact_match((*others, carrier), one.name) is carrier


def _leads(rules: ConnectionRules, one: ParcelName) -> tuple[CarrierMapping, ...]:
    return mappings_for(rules.carrier_mappings, one.name, one.country, one.service)


def _of_carrier(
    rules: ConnectionRules,
    code: str,
    renamed: bool,
    mappings: list[CarrierMapping],
    unmapped: list[ParcelName],
    parcels: int,
) -> str:
    """What happened, what it means and what to do."""
    written = list(dict.fromkeys(one.name.strip() for one in unmapped))
    said = [described(mapping)[0] for mapping in mappings]
    ways = []
    if said:
        ways.append(f"to which the carrier map leads {_quoted(said)}")
    if written:
        ways.append(f"which parcels that say {_quoted(written)} found by its name alone")
    what = f"calls the carrier {code} otherwise now" if renamed else f"does not have the code {code} any more"
    likely = next(
        iter(suggest(rules.carriers, mappings[0].shop_name if mappings else written[0], limit=1)), None
    )
    return (
        f"The marketplace's list of carriers {what}, {' and '.join(ways)}. {_concerned(parcels)} The next one would wait, or "
        f"go out as the default carrier where there is one. Map the names anew.{_heir(likely)}"
    )


def _methods(
    rules: ConnectionRules, methods: tuple[str, ...], names: tuple[ParcelName, ...]
) -> list[Vanished]:
    lost: dict[str, list[CarrierMapping]] = {}
    for mapping in rules.carrier_mappings:
        if mapping.service and mapping.service not in methods and not _has_heir(rules, methods, mapping):
            lost.setdefault(mapping.service, []).append(mapping)
    found = []
    for method, mappings in lost.items():
        parcels = sum(
            one.parcels
            for one in names
            if one.service == method and any(mapping in mappings for mapping in _leads(rules, one))
        )
        said = _quoted([described(replace(mapping, service=""))[0] for mapping in mappings])
        found.append(
            Vanished(
                METHOD + method,
                f"The marketplace's list of shipping methods does not have {method} any more, for which alone the carrier map "
                f"leads {said} somewhere. {_concerned(parcels)} The next one comes under another method and would wait, or go "
                "out by a wider mapping. Map the names for the method that took its place, or remove the mappings.",
                parcels,
            )
        )
    return found


def _has_heir(rules: ConnectionRules, methods: tuple[str, ...], lost: CarrierMapping) -> bool:
    """Whether the same name leads to the same carrier for a method there is, or for every method."""
    return any(
        key(one.shop_name) == key(lost.shop_name)
        and one.is_default == lost.is_default
        and one.country in ("", lost.country)
        and (one.code, one.name) == (lost.code, lost.name)
        and (not one.service or one.service in methods)
        for one in rules.carrier_mappings
    )


def _quoted(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _concerned(parcels: int) -> str:
    days = f"of the orders of the last {LOOKED_BACK.days} days"
    match parcels:
        case 0:
            return f"No parcel {days} was such a one."
        case 1:
            return f"One parcel {days} was such a one."
        case _:
            return f"{parcels} parcels {days} were such."


def _heir(likely: Suggestion | None) -> str:
    if likely is None:
        return ""
    return f" It may be {likely.label} ({likely.code}) now; nothing is changed by itself."
