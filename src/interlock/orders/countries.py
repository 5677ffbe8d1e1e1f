"""Country codes: Mirakl writes three letters (ISO 3166-1 alpha-3), Shopify and our own words two."""

from babel.core import get_global

# User-assigned codes that marketplaces use and the CLDR alias table does not know.
_BESIDES_CLDR = {"XKX": "XK"}
_NOWHERE = "ZZ"  # what CLDR calls a territory it does not know


def alpha2(code: str) -> str:
    """The two-letter code of a two- or three-letter one; empty when there is none or it is not unique."""
    asked = code.strip().upper()
    if len(asked) == 2 and asked.isascii() and asked.isalpha():
        return asked
    if len(asked) != 3:
        return ""
    if asked in _BESIDES_CLDR:
        return _BESIDES_CLDR[asked]
    found = get_global("territory_aliases").get(asked, [])
    return found[0] if len(found) == 1 and len(found[0]) == 2 and found[0] != _NOWHERE else ""
