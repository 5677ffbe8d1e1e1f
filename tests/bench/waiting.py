"""Waits until something has happened on the stage."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Return once the condition holds. Raises AssertionError when it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            await _poll(condition, lambda: asyncio.sleep(0.01))
    except TimeoutError:
        raise AssertionError(f"Waited {seconds:g} s in vain for {what}.") from None


async def _poll(condition: Callable[[], bool], pause: Callable[[], Awaitable[None]]) -> None:
    while not condition():
        await pause()
