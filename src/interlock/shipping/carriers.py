"""How the carrier a shop names is called at a marketplace: by an exact map per connection, never by a guess."""

import re
import unicodedata
from dataclasses import dataclass

from interlock.orders.connection import Carrier, CarrierMapping, ConnectionRules

SUGGESTIONS = 5


@dataclass(frozen=True, slots=True)
class CarrierChoice:
    """What OR23 is sent: a registered `code`, or else the `name` of an unregistered carrier, which needs the full
    tracking URL beside it. Exactly one of the two is set."""

    code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class NotMapped:
    """Why a carrier name leads nowhere yet, as a sentence."""

    why: str


def resolve(rules: ConnectionRules, shop_name: str, url: str) -> CarrierChoice | NotMapped:
    """The marketplace's carrier for a name exactly as the shop writes it; case and outer blanks do not matter.

    `url` is the tracking URL of the parcel; only an unregistered carrier needs it (Mirakl reference, section 6).
    """
    mapping = _mapping(rules, shop_name)
    if mapping is None:
        return NotMapped(f"The carrier “{shop_name.strip()}” is not mapped to a carrier of this marketplace.")
    if mapping.code:
        if any(carrier.code == mapping.code for carrier in rules.carriers):
            return CarrierChoice(code=mapping.code)
        return NotMapped(
            f"The carrier “{shop_name.strip()}” is mapped to the code {mapping.code}, which the marketplace does not "
            "have in its list of carriers."
        )
    if not mapping.name:
        return NotMapped(f"The mapping of the carrier “{shop_name.strip()}” names neither a code nor a name.")
    if not rules.unregistered_carriers:
        return NotMapped(
            f"The carrier “{shop_name.strip()}” is mapped to the free name “{mapping.name}”, but this marketplace "
            "takes only carriers of its own list."
        )
    if not url.strip():
        return NotMapped(
            f"The carrier “{shop_name.strip()}” is mapped to the free name “{mapping.name}”, which needs the full "
            "tracking URL, and the parcel in Shopify has none."
        )
    return CarrierChoice(name=mapping.name)


def _mapping(rules: ConnectionRules, shop_name: str) -> CarrierMapping | None:
    wanted = shop_name.strip().casefold()
    for mapping in rules.carrier_mappings:
        if wanted and mapping.shop_name.strip().casefold() == wanted:
            return mapping
    return None


def suggestions(rules: ConnectionRules, shop_name: str) -> tuple[Carrier, ...]:
    """Registered carriers that sound alike, the likeliest first: for a person to choose from, never to be used."""
    wanted = _tokens(shop_name)
    ranked = [
        (-score, carrier.label.casefold(), carrier.code, carrier)
        for carrier in rules.carriers
        if (score := _likeness(wanted, carrier)) > 0
    ]
    ranked.sort(key=lambda row: row[:3])
    return tuple(row[3] for row in ranked[:SUGGESTIONS])


def _likeness(wanted: tuple[str, ...], carrier: Carrier) -> float:
    return max(
        _overlap(wanted, _tokens(text)) for text in (carrier.label, carrier.code, carrier.standard_code)
    )


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Shared words per word of both, plus a little where the names are equal without their blanks."""
    if not one or not other:
        return 0.0
    shared = sum(1 for token in one if token in other)
    together = 1.0 if "".join(one) == "".join(other) else 0.0
    return max(2 * shared / (len(one) + len(other)), together)


def _tokens(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(dict.fromkeys(re.findall(r"[^\W\d_]+|\d+", plain)))
