"""What code costs without a clock: how many calls of functions it makes, the same on every machine and every day."""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def calls_made(action: Callable[[], T]) -> tuple[T, int]:
    """What `action` gives, and how many functions were called for it in this thread, written in Python or not. The
    collector of garbage rests meanwhile: when it comes, and whose finalisers it runs, depends on what ran before."""
    made = 0

    def count(_frame: FrameType, happened: str, _argument: Any) -> None:
        nonlocal made
        if happened in ("call", "c_call"):
            made += 1

    collects = gc.isenabled()
    gc.disable()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        given = action()
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
    return given, made
