"""Where keys are sent: never to an address of a private network, whatever name it hides behind.

A name is checked when a connection is made and when a client is first used, and again every few minutes: what a name
leads to may change after it was accepted.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import httpx2

from interlock.clock import Clock

CHECKED_FOR = timedelta(minutes=5)
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateHost(Exception):
    """A platform's host name leads into a private network."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} leads to an address of a private network or of this machine. No key was sent there. Give the "
            "platform's public host name; if the name is right, ask who runs the name server what it answers and why."
        )


def is_private(address: str) -> bool:
    """Whether the address is not one of the public internet, also where it is wrapped into an IPv6 address."""
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour
        if inner is None and number in _NAT64:
            inner = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        if inner is not None:
            return not inner.is_global or inner.is_multicast
    return not number.is_global or number.is_multicast


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """What the name leads to; nothing when it cannot be resolved here (then a proxy has to, or nothing is reached)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(str(entry[4][0]) for entry in found)


async def refuse_private(origin: str, loopback: bool, resolve: Resolve = addresses_of) -> None:
    """Raises PrivateHost when any address of the origin's host is private. With `loopback` this machine is allowed."""
    url = httpx2.URL(origin)
    addresses = await resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
    for address in addresses:
        own = ipaddress.ip_address(address.partition("%")[0]).is_loopback
        if is_private(address) and not (own and loopback):
            raise PrivateHost(url.host)


def only_public(
    origin: str, clock: Clock, loopback: bool, resolve: Resolve = addresses_of
) -> Callable[[httpx2.Request], Awaitable[None]]:
    """A request hook of one origin's client: nothing leaves while its host leads into a private network.

    It raises httpx2.ConnectError, which every adapter takes for what it is: the call never left.
    """
    checked_at: list[float] = []

    async def check(request: httpx2.Request) -> None:
        now = clock.monotonic()
        if checked_at and now - checked_at[0] < CHECKED_FOR.total_seconds():
            return
        try:
            await refuse_private(origin, loopback, resolve)
        except PrivateHost as refused:
            raise httpx2.ConnectError(str(refused), request=request) from refused
        checked_at[:] = [now]

    return check
