"""What of a parcel's tracking can be sent to a marketplace, and in which form."""

from urllib.parse import urlsplit

LONGEST_NUMBER = 100
"""Longer than any carrier's number; neither platform documents a limit of its own."""

LONGEST_URL = 2000


def sent_number(number: str) -> str:
    """The tracking number as it is sent: without the blanks people put between its groups."""
    return "".join(number.split())


def number_problem(number: str) -> str:
    """Why the tracking number cannot be one, as a sentence; empty when it can."""
    plain = sent_number(number)
    if len(plain) > LONGEST_NUMBER:
        return f"It has {len(plain)} characters; no carrier's number has more than {LONGEST_NUMBER}."
    if not plain.isascii() or not plain.isprintable():
        return "It holds characters that no tracking number has, such as letters with accents or symbols."
    if not any(character.isalnum() for character in plain):
        return "It holds neither a letter nor a digit."
    return ""


def url_problem(url: str) -> str:
    """Why the tracking URL cannot be sent, as a sentence; empty when it can."""
    plain = url.strip()
    if len(plain) > LONGEST_URL:
        return f"It is longer than {LONGEST_URL} characters."
    if any(character.isspace() or not character.isprintable() for character in plain):
        return "It holds blanks or characters that cannot be shown."
    try:
        parts = urlsplit(plain)
        host = parts.hostname
    except ValueError:
        return "It is not an address."
    if parts.scheme not in ("http", "https") or not host:
        return "It does not begin with http:// or https:// and a host."
    return ""
