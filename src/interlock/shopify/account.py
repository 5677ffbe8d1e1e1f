"""Where a shop is reached and with which app: the only addresses that credentials may be sent to."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx2

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


class ShopAddressRefused(ValueError):
    """The address of a shop is not one we may send credentials to."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} No credential was sent. Use the shop's own domain, such as name.myshopify.com, over https; "
            "plain http is only for a simulator on this machine and must be switched on."
        )


@dataclass(frozen=True)
class ShopifyShop:
    """Where a shop is reached and with which app. `base_url` is `https://<shop_domain>` except for simulators."""

    shop_domain: str
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    loopback_http: bool = False

    def __post_init__(self) -> None:
        if not _SHOP.fullmatch(self.shop_domain):
            raise ShopAddressRefused(f"{self.shop_domain!r} is not the domain of a shop.")
        url = httpx2.URL(self.base_url)
        if url.userinfo or url.query or url.fragment or url.path not in ("", "/"):
            raise ShopAddressRefused("The base URL of a shop has nothing but a scheme, a host and a port.")
        if url.scheme == "https" and url.host == self.shop_domain and url.port in (None, 443):
            return
        if url.scheme == "http" and self.loopback_http and is_loopback(url.host):
            return
        raise ShopAddressRefused(f"{url.scheme}://{url.host} is not {self.shop_domain} over https.")

    @property
    def account(self) -> str:
        """What budgets are keyed by: one shop and one app."""
        return f"shopify:{self.shop_domain}:{self.client_id}"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
