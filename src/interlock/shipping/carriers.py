"""How the carrier a shop names is called at a marketplace: as people mapped it, or by its very name; never by a guess."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from interlock.orders.connection import ANY_CARRIER, CarrierMapping, ConnectionRules
from interlock.shipping.history import described
from interlock.shipping.names import key
from interlock.shipping.suggest import exact_match
from interlock.shipping.tracking import url_problem

Found = Literal["mapped", "by name", "default"]


@dataclass(frozen=True, slots=True)
class CarrierChoice:
    """What OR23 is sent: a registered `code`, or else the `name` of an unregistered carrier, which needs the full
    tracking URL beside it. Exactly one of the two is set. `found` says how it was found."""

    code: str = ""
    name: str = ""
    found: Found = "mapped"


@dataclass(frozen=True, slots=True)
class NotMapped:
    """Why a carrier name leads nowhere yet, as a sentence. `url` means that the carrier is mapped, and only the parcel's
    tracking URL is at fault."""

    why: str
    url: bool = False


def resolve(
    rules: ConnectionRules, shop_name: str, url: str, country: str = "", service: str = ""
) -> CarrierChoice | NotMapped:
    """The marketplace's carrier for a name as the shop writes it.

    The narrowest mapping of the name that fits `country` and `service` (see `CarrierMapping`) goes first; then the one
    registered carrier of exactly this name; then the connection's default, if it has one, also for a parcel that names
    no carrier. `url` is the tracking URL of the parcel; only an unregistered carrier needs it (Mirakl reference,
    section 6).
    """
    fitting = mappings_for(rules.carrier_mappings, shop_name, country, service)
    if not fitting:
        exact = exact_match(rules.carriers, shop_name)
        if exact is not None:
            return CarrierChoice(code=exact.code, found="by name")
        fitting = _defaults_for(rules.carrier_mappings, country, service)
    if not fitting and not shop_name.strip():
        return NotMapped("The parcel names no carrier, and this connection has no default carrier.")
    if not fitting:
        return NotMapped(f"The carrier “{shop_name.strip()}” is not mapped to a carrier of this marketplace.")
    if len(_leads(fitting)) > 1:
        return NotMapped(_contradiction(fitting, shop_name))
    return _as_mapped(rules, fitting[0], shop_name, url)


def _contradiction(fitting: Sequence[CarrierMapping], shop_name: str) -> str:
    """Why mappings that lead to different carriers lead nowhere."""
    said = " and ".join("{} to {}".format(*described(mapping)) for mapping in fitting)
    who = (
        f"The carrier “{shop_name.strip()}” is" if shop_name.strip() else "A parcel that names no carrier is"
    )
    return (
        f"{who} mapped to different carriers by rows of the carrier map that are written alike: {said}. Remove the one that "
        "is wrong."
    )


def _as_mapped(
    rules: ConnectionRules, mapping: CarrierMapping, shop_name: str, url: str
) -> CarrierChoice | NotMapped:
    named = f"The carrier “{shop_name.strip()}”"
    if mapping.is_default:
        unmapped = f"{named} is not mapped" if shop_name.strip() else "The parcel names no carrier"
        named = f"{unmapped}, and the default of this connection"
    found: Found = "default" if mapping.is_default else "mapped"
    if mapping.code:
        if any(carrier.code == mapping.code for carrier in rules.carriers):
            return CarrierChoice(code=mapping.code, found=found)
        return NotMapped(
            f"{named} is mapped to the code {mapping.code}, which the marketplace does not have in its list of carriers."
        )
    if not mapping.name:
        return NotMapped(f"{named} is mapped to neither a code nor a name.")
    if not rules.unregistered_carriers:
        return NotMapped(
            f"{named} is mapped to the free name “{mapping.name}”, but this marketplace takes only carriers of its own "
            "list."
        )
    if not url.strip():
        return NotMapped(
            f"{named} is mapped to the free name “{mapping.name}”, which needs the full tracking URL, and the parcel in "
            "Shopify has none.",
            url=True,
        )
    wrong = url_problem(url)
    if wrong:
        return NotMapped(
            f"{named} is mapped to the free name “{mapping.name}”, which needs the full tracking URL, and the one in "
            f"Shopify cannot be sent: {wrong}",
            url=True,
        )
    return CarrierChoice(name=mapping.name, found=found)


def mappings_for(
    mappings: tuple[CarrierMapping, ...], shop_name: str, country: str = "", service: str = ""
) -> tuple[CarrierMapping, ...]:
    """The narrowest mappings of the name that fit; what is written just so goes before what is written alike. Where they are
    several that lead to different carriers, none of them counts."""
    written = shop_name.strip().casefold()
    alike = key(shop_name)
    named = [
        m for m in mappings if not m.is_default and written and m.shop_name.strip().casefold() == written
    ]
    if not named:
        named = [m for m in mappings if not m.is_default and alike and key(m.shop_name) == alike]
    return _narrowest(named, country, service)


def default_for(
    mappings: tuple[CarrierMapping, ...], country: str = "", service: str = ""
) -> CarrierMapping | None:
    """The narrowest default that fits; None where the connection has none, or two that lead to different carriers."""
    fitting = _defaults_for(mappings, country, service)
    return fitting[0] if len(_leads(fitting)) == 1 else None


def contradicting(
    mappings: Iterable[CarrierMapping], others: Iterable[CarrierMapping]
) -> tuple[CarrierMapping, CarrierMapping] | None:
    """The first of these mappings and one of the others that is written alike for the same parcels and leads to another
    carrier; None where there are no such two. A parcel that is written like both would be neither's."""
    alike: dict[tuple[str, str, str], list[CarrierMapping]] = {}
    for other in others:
        alike.setdefault(_stands_for(other), []).append(other)
    for mapping in mappings:
        for other in alike.get(_stands_for(mapping), []):
            if len(_leads((mapping, other))) > 1:
                return mapping, other
    return None


def _stands_for(mapping: CarrierMapping) -> tuple[str, str, str]:
    name = (
        ANY_CARRIER if mapping.is_default else key(mapping.shop_name) or mapping.shop_name.strip().casefold()
    )
    return name, mapping.country, mapping.service


def _leads(mappings: Iterable[CarrierMapping]) -> set[tuple[str, str]]:
    return {(mapping.code, mapping.name) for mapping in mappings}


def _defaults_for(
    mappings: tuple[CarrierMapping, ...], country: str, service: str
) -> tuple[CarrierMapping, ...]:
    return _narrowest([mapping for mapping in mappings if mapping.is_default], country, service)


def _narrowest(mappings: list[CarrierMapping], country: str, service: str) -> tuple[CarrierMapping, ...]:
    """A service says more than a country."""
    fitting = [m for m in mappings if m.country in ("", country) and m.service in ("", service)]
    narrow = max(((bool(m.service), bool(m.country)) for m in fitting), default=None)
    return tuple(m for m in fitting if (bool(m.service), bool(m.country)) == narrow)
