"""A write whose time is over does not leave; everything else does."""

import asyncio

import httpx2
import pytest

from interlock.clock import SystemClock
from interlock.engine.sending import REFERENCE_HEADER, SEND_BY, refuse_late_writes

REFERENCE = {REFERENCE_HEADER: "operation.1.1"}


def sent(send_by: float | None, headers: dict[str, str]) -> int:
    """The status of a request that is made when its time is `send_by` seconds away from now."""
    clock = SystemClock()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(204)

    async def run() -> int:
        hooks = {"request": [refuse_late_writes(clock)]}
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), event_hooks=hooks) as http:
            SEND_BY.set(None if send_by is None else clock.monotonic() + send_by)
            response = await http.put("https://brand.mirakl.example/api/orders/1/accept", headers=headers)
        return response.status_code

    return asyncio.run(run())


def test_a_late_write_does_not_leave() -> None:
    with pytest.raises(httpx2.ConnectError):
        sent(-0.1, REFERENCE)


@pytest.mark.parametrize(("send_by", "headers"), [(5.0, REFERENCE), (None, REFERENCE), (-0.1, {})])
def test_writes_in_time_and_calls_that_are_no_writes_leave(
    send_by: float | None, headers: dict[str, str]
) -> None:
    assert sent(send_by, headers) == 204
