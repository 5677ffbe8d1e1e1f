"""Addresses as neutral parts, and the keyed digest under which both platforms' addresses are compared."""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from interlock.orders.snapshots import NO_ADDRESS, Address

# Blank-separated: territories that use no postal codes (ISO 3166-1 alpha-2): there a missing postcode does not stop a parcel.
# Ireland and Hong Kong are listed because most of their addresses are written without one.
WITHOUT_POSTCODE = (
    "AE AG AN AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GA GD GH GM GQ GY HK IE JM KI KM KN KP LC "
    "LY ML MO MR MW NA NR NU PA QA RW SB SC SL SO SR ST SY TD TF TG TK TL TO TT TV UG VU WS YE ZW"
)
_DIGEST_BYTES = 16
_LONGEST_KEY = 64
_PURPOSE = b"interlock-addr"
_NOTES = b"interlock-notes"
_EMAIL_PURPOSE = b"interlock-email"
_PHONE_PURPOSE = b"interlock-phone"
_DIGITS_OF_PHONE = 8
_FEWEST_DIGITS = 5


class AddressKeyUnusable(ValueError):
    """The key for address digests is empty or too long."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"The key for address digests has {length} bytes; 1 to {_LONGEST_KEY} are possible. "
            "Without a key anyone could guess addresses from their digests, so nothing was computed."
        )


@dataclass(frozen=True, slots=True)
class AddressParts:
    """A postal address in parts both platforms have. `country_code` is ISO 3166-1 alpha-2, empty if unknown.

    No field is shown by repr, so that an address cannot reach a log or an error by accident.
    """

    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    line1: str = field(default="", repr=False)
    line2: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    province: str = field(default="", repr=False)
    country_code: str = field(default="", repr=False)


def is_complete(parts: AddressParts) -> bool:
    """Whether a parcel could be delivered: name or company, street, city, country, and a postcode where the
    country has them."""
    country = _plain(parts.country_code).upper()
    return (
        bool(_plain(f"{parts.first_name} {parts.last_name} {parts.company}"))
        and bool(_plain(f"{parts.line1} {parts.line2}"))
        and bool(_plain(parts.city))
        and len(country) == 2
        and (bool(_plain(parts.postcode)) or country in WITHOUT_POSTCODE)
    )


def digest(parts: AddressParts, key: bytes, phone: str = "") -> Address:
    """The address as a keyed digest (blake2b, 32 hexadecimal digits) and its completeness.

    Two spellings of one address give one digest: case, blanks, Unicode composition, and what a platform may do
    to an address while storing it do not count. Names are joined, and so are the two street lines, because
    shops move words between them; blanks and hyphens in a postcode are dropped; the province is left out,
    because Shopify replaces or drops provinces it does not know and street, city, postcode and country name
    the place already. An address without any part gives NO_ADDRESS. `phone` becomes its contact. Raises
    AddressKeyUnusable.
    """
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise AddressKeyUnusable(len(key))
    if not any(_plain(getattr(parts, part.name)) for part in fields(parts)):
        return NO_ADDRESS
    spoken = (
        _plain(f"{parts.first_name} {parts.last_name}"),
        _plain(parts.company),
        _plain(f"{parts.line1} {parts.line2}"),
        _plain(parts.city),
        _plain(parts.postcode).replace(" ", "").replace("-", ""),
        _plain(parts.country_code),
    )
    # A newline cannot occur inside a part: _plain turns every kind of blank into a single space.
    value = hashlib.blake2b(
        "\n".join(spoken).encode(), key=key, digest_size=_DIGEST_BYTES, person=_PURPOSE
    ).hexdigest()
    return Address(value, is_complete(parts), _contact(phone, key))


def _contact(phone: str, key: bytes) -> str:
    """A telephone number as a keyed digest (32 hexadecimal digits) of its last eight digits: blanks, punctuation and the
    way to write a country before it do not count. Empty for a text that is no number."""
    digits = "".join(char for char in phone if char.isdecimal())[-_DIGITS_OF_PHONE:]
    if len(digits) < _FEWEST_DIGITS:
        return ""
    return hashlib.blake2b(
        digits.encode(), key=key, digest_size=_DIGEST_BYTES, person=_PHONE_PURPOSE
    ).hexdigest()


def text_digest(texts: Iterable[str], key: bytes) -> str:
    """A keyed digest (32 hexadecimal digits) of texts in this order; empty when there are none. Notes may hold
    personal data, so they are compared by this and not kept. Raises AddressKeyUnusable."""
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise AddressKeyUnusable(len(key))
    told = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES, person=_NOTES)
    some = False
    for text in texts:
        body = text.encode()
        told.update(len(body).to_bytes(8, "big") + body)
        some = True
    return told.hexdigest() if some else ""


def email_digest(email: str, key: bytes) -> str:
    """An e-mail address as a keyed digest (32 hexadecimal digits), whatever its case; empty without one. Raises
    AddressKeyUnusable."""
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise AddressKeyUnusable(len(key))
    plain = _plain(email)
    if not plain:
        return ""
    return hashlib.blake2b(
        plain.encode(), key=key, digest_size=_DIGEST_BYTES, person=_EMAIL_PURPOSE
    ).hexdigest()


def _plain(text: str | None) -> str:
    if not text:
        return ""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
