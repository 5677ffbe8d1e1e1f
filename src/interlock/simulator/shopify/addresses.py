"""Addresses from input, and invented ones that carry canary tokens so that a leak into a log is found."""

import random
from typing import Any

from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.state import Address


def address_from_input(act: Act, given: dict[str, Any] | None) -> Address | None:
    """A MailingAddressInput as stored; None stays None."""
    if given is None:
        return None
    return Address(
        given.get("firstName"),
        given.get("lastName"),
        given.get("company"),
        given.get("address1"),
        given.get("address2"),
        given.get("city"),
        given.get("province"),
        given.get("provinceCode"),
        given.get("zip"),
        given.get("countryCode"),
        given.get("phone"),
        act.number(),
    )


def where(address: Address | None) -> list[str]:
    """Name, street, postcode and city of an address, each as one text: for the log of effects."""
    if address is None:
        return ["", "", "", ""]
    parts = (
        (address.first_name, address.last_name),
        (address.address1, address.address2),
        (address.zip,),
        (address.city,),
    )
    return [" ".join(one for one in each if one) for each in parts]


def canary(rng: random.Random, what: str) -> str:
    """A token that must never appear outside the places personal data is allowed in."""
    return f"CANARY-{what}-{rng.randrange(16**8):08x}"


def invented_address(rng: random.Random, number: int, country: str = "CA") -> Address:
    return Address(
        first_name=canary(rng, "first"),
        last_name=canary(rng, "last"),
        address1=f"{rng.randrange(1, 999)} {canary(rng, 'street')} St",
        city=canary(rng, "city"),
        province="Ontario",
        province_code="ON",
        zip="M5H 2M9",
        country_code=country,
        phone=f"+1416{rng.randrange(10**7):07d}",
        number=number,
    )
