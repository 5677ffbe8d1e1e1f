"""No key is sent into a private network, whatever name leads there."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx2
import pytest

from interlock.clock import LoopClock
from interlock.engine.hosts import PrivateHost, Resolve, addresses_of, is_private, only_public, refuse_private

ORIGIN = "https://market.example"


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("93.184.216.34", False),
        ("2606:2800:220:1:248:1893:25c8:1946", False),
        ("10.0.0.7", True),
        ("172.16.1.1", True),
        ("192.168.1.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.7", True),
        ("::ffff:93.184.216.34", False),
        ("2002:0a00:0007::", True),
        ("64:ff9b::a9fe:a9fe", True),
    ],
)
def test_which_addresses_are_private(address: str, private: bool) -> None:
    assert is_private(address) is private


def _leads_to(*addresses: str) -> tuple[list[tuple[str, int]], Resolve]:
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return addresses

    return asked, resolve


@pytest.mark.parametrize(
    ("addresses", "loopback", "refused"),
    [
        (("93.184.216.34",), False, False),
        ((), False, False),
        (("93.184.216.34", "10.0.0.7"), False, True),
        (("10.0.0.7",), True, True),
        (("127.0.0.1",), False, True),
        (("127.0.0.1", "::1"), True, False),
    ],
)
def test_a_name_is_refused_when_one_of_its_addresses_is_private(
    addresses: tuple[str, ...], loopback: bool, refused: bool
) -> None:
    asked, resolve = _leads_to(*addresses)
    check = refuse_private(f"{ORIGIN}:8443", loopback, resolve)
    if refused:
        with pytest.raises(PrivateHost, match=r"market\.example leads to an address of a private network"):
            asyncio.run(check)
    else:
        asyncio.run(check)
    assert asked == [("market.example", 8443)]


def test_this_machine_is_found_by_its_name() -> None:
    found = asyncio.run(addresses_of("localhost", 443))
    assert found
    assert all(is_private(address) for address in found)


def test_a_client_is_checked_at_its_first_call_and_again_later() -> None:
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    leads_to = ["93.184.216.34"]
    asked: list[str] = []
    arrived: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        del port
        asked.append(host)
        return list(leads_to)

    async def answer(request: httpx2.Request) -> httpx2.Response:
        arrived.append(str(request.url))
        return httpx2.Response(200)

    async def calls() -> None:
        hook = only_public(ORIGIN, clock, False, resolve)
        transport = httpx2.MockTransport(answer)
        async with httpx2.AsyncClient(transport=transport, event_hooks={"request": [hook]}) as http:
            await http.get(f"{ORIGIN}/api/orders")
            leads_to[:] = ["192.168.1.1"]
            await http.get(f"{ORIGIN}/api/orders")  # within what was checked
            seconds[0] = 301.0
            for _ in range(2):
                with pytest.raises(httpx2.ConnectError, match="No key was sent"):
                    await http.get(f"{ORIGIN}/api/orders")
            leads_to[:] = ["93.184.216.34"]
            await http.get(f"{ORIGIN}/api/orders")

    asyncio.run(calls())
    assert len(arrived) == 3
    assert len(asked) == 4
