"""How the carrier a shop names is called at a marketplace: as people mapped it, or by its very name; never by a guess."""

from dataclasses import dataclass
from typing import Literal

from interlock.orders.connection import CarrierMapping, ConnectionRules
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
    mapping = mapping_for(rules.carrier_mappings, shop_name, country, service)
    if mapping is None:
        exact = exact_match(rules.carriers, shop_name)
        if exact is not None:
            return CarrierChoice(code=exact.code, found="by name")
        mapping = default_for(rules.carrier_mappings, country, service)
    if mapping is None and not shop_name.strip():
        return NotMapped("The parcel names no carrier, and this connection has no default carrier.")
    if mapping is None:
        return NotMapped(f"The carrier “{shop_name.strip()}” is not mapped to a carrier of this marketplace.")
    return _as_mapped(rules, mapping, shop_name, url)


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


def mapping_for(
    mappings: tuple[CarrierMapping, ...], shop_name: str, country: str = "", service: str = ""
) -> CarrierMapping | None:
    """The narrowest mapping of the name that fits; what is written just so goes before what is written alike."""
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
    """The narrowest default that fits; None where the connection has none."""
    return _narrowest([mapping for mapping in mappings if mapping.is_default], country, service)


def _narrowest(mappings: list[CarrierMapping], country: str, service: str) -> CarrierMapping | None:
    """A service says more than a country. Two that lead to different carriers and are as narrow lead nowhere."""
    fitting = [m for m in mappings if m.country in ("", country) and m.service in ("", service)]
    if not fitting:
        return None
    narrow = max((bool(m.service), bool(m.country)) for m in fitting)
    first = [m for m in fitting if (bool(m.service), bool(m.country)) == narrow]
    return first[0] if len({(m.code, m.name) for m in first}) == 1 else None
