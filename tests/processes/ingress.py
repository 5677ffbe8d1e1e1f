"""A process that only takes deliveries and shows pages: every order is left to the workers."""

import asyncio

from interlock import logs
from interlock.clock import SystemClock
from interlock.service import answer
from interlock.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format, now=SystemClock().now)
    asyncio.run(answer(settings, with_worker=False))
