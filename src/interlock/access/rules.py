"""The rules of signing in that one installation has set."""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network


@dataclass(frozen=True, slots=True)
class OutsideSignIn:
    """An OpenID Connect provider. `roles` maps a value of the claim `groups_claim` to roles as they are written:
    `cx`, or `cx@atlas` for one connection."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "your organisation"
    groups_claim: str = "groups"
    roles: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AccessRules:
    """`public_url` is the address people reach the console under, empty on this machine only; with `https` cookies go
    over TLS alone. A session ends after `idle` without a click and in any case after `longest`. What `proxies` write
    into X-Forwarded-For is believed."""

    public_url: str = ""
    second_factor_required: bool = True
    idle: timedelta = timedelta(hours=2)
    longest: timedelta = timedelta(hours=12)
    proxies: tuple[str, ...] = ()
    outside: OutsideSignIn | None = None

    @property
    def secure(self) -> bool:
        """Whether the console is reached over TLS."""
        return self.public_url.startswith("https://")

    def cookie(self, purpose: str) -> str:
        """The name of a cookie. Without TLS it says so: the prefix `__Host-` would be refused by browsers."""
        return f"__Host-interlock-{purpose}" if self.secure else f"interlock-{purpose}-without-tls"

    def address_of(self, peer: str, forwarded_for: str) -> str:
        """The address somebody comes from: the peer's own, or what a proxy of ours says of it."""
        for hop in (peer, *reversed([part.strip() for part in forwarded_for.split(",") if part.strip()])):
            if not self._is_proxy(hop):
                return hop[:60]
        return peer[:60]

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in ip_network(proxy, strict=False) for proxy in self.proxies)
