"""Where a marketplace is reached and as which shop: the only addresses and keys that a call may be made with."""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
# Resolvers read hosts that end like this as numbers (127.1, 0x7f000001), past any check of the number itself.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


class OriginRefused(ValueError):
    """A marketplace address that keys must not be sent to. `what` names what is wrong with it."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"This marketplace address cannot be used: {what}. Give the address of the marketplace itself, "
            "such as https://brand-prod.mirakl.net; nothing was sent."
        )


class KeyUnusable(ValueError):
    """An API key that cannot stand in a header."""

    def __init__(self) -> None:
        super().__init__(
            "The API key is empty or holds blanks or characters that no key has. Copy it again from the seller "
            "portal (API key of the shop user); nothing was sent."
        )


@dataclass(frozen=True, slots=True)
class MiraklAccount:
    """One shop account on one marketplace: origin (see `check_origin`), API key and shop id (A01 `shop_id`)."""

    origin: str
    api_key: str = field(repr=False)
    shop_id: str

    def __post_init__(self) -> None:
        key = self.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise KeyUnusable()


def check_origin(origin: str, allow_loopback_http: bool) -> str:
    """The origin to send keys to: `https://host[:port]`, lower case, without a trailing `/api` or slash.

    Only https is possible; plain http to this machine needs `allow_loopback_http`. Addresses that carry a
    user, a query, another path, or are private network numbers raise OriginRefused.
    """
    text = origin.strip()
    if not text or any(not c.isprintable() or c in " \\" for c in text):
        raise OriginRefused("it is empty or holds blanks, backslashes or invisible characters")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as wrong:
        raise OriginRefused("its host or port cannot be read") from wrong
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise OriginRefused("it contains a user name or password")
    if parts.scheme not in ("https", "http"):
        raise OriginRefused("it does not begin with https://")
    if not host:
        raise OriginRefused("it names no host")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise OriginRefused("it contains a query or a fragment")
    if parts.path.rstrip("/") not in ("", "/api"):
        raise OriginRefused("it contains a path other than /api")
    number = _ip_number(host)
    if number is None and (not _HOST.fullmatch(host) or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2])):
        raise OriginRefused("its host is not a plain host name")
    on_this_machine = (
        host == "localhost" or host.endswith(".localhost") or (number is not None and number.is_loopback)
    )
    if on_this_machine and not allow_loopback_http:
        raise OriginRefused("it points to this machine, which only a test installation may allow")
    if parts.scheme == "http" and not on_this_machine:
        raise OriginRefused("it uses plain http, which would show the key to the network; use https")
    if number is not None and not on_this_machine and not number.is_global:
        raise OriginRefused("it is a private network address")
    shown = f"[{host}]" if ":" in host else host
    if port is None or (parts.scheme, port) in (("https", 443), ("http", 80)):
        return f"{parts.scheme}://{shown}"
    return f"{parts.scheme}://{shown}:{port}"


def _ip_number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
