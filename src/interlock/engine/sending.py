"""The last check before a write leaves: a call whose intent was committed too long ago is not sent any more.

A worker may stand still between its commit and its send (a stopped process, a slow database, a token that had to be
fetched first). Meanwhile another worker may have taken the order over, so a late write would cross its writes.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import httpx2

from interlock.clock import Clock

SEND_BY: ContextVar[float | None] = ContextVar("send_by", default=None)
"""Until when, on the clock's monotonic scale, the write this task is performing may leave."""

REFERENCE_HEADER = "X-Client-Reference"


def refuse_late_writes(clock: Clock) -> Callable[[httpx2.Request], Awaitable[None]]:
    """A request hook that lets no write leave after its time; reads and sign-ins carry no reference and always pass.

    The hook raises httpx2.ConnectError, which every adapter takes for what it is: the call never left.
    """

    async def check(request: httpx2.Request) -> None:
        send_by = SEND_BY.get()
        if send_by is None or REFERENCE_HEADER not in request.headers:
            return
        if clock.monotonic() > send_by:
            raise httpx2.ConnectError("Not sent: its intent was committed too long ago.", request=request)

    return check
