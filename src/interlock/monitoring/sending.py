"""How an alert leaves: through Apprise, on a thread, within a time limit. Nothing here decides anything."""

import asyncio
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

import apprise
import httpx2

from interlock.monitoring.channels import ChannelRefused
from interlock.monitoring.composing import Composed
from interlock.monitoring.ladders import Severity

SEND_WITHIN_SECONDS = 45.0
HEARTBEAT_WITHIN_SECONDS = 10.0
_TYPES: dict[Severity, str] = {"page": "failure", "message": "warning", "ticket": "info"}

# The library writes addresses into its log lines; what became of a delivery stands in the outbox.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took the message."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The channel did not take it, or did not say so in time. `why` is in words of ours, without any address."""

    why: str


def check_url(kind: str, url: str) -> None:
    """Refuse an address that alerts could not be sent to. Nothing is sent. Raises ChannelRefused."""
    url = url.strip()
    if kind == "heartbeat":
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChannelRefused("url", "A heartbeat is sent to an http or https address.")
        return
    if not url or any(character.isspace() for character in url):
        raise ChannelRefused("url", "The address is empty or holds blanks.")
    made = _instance(url)
    if made is None:
        scheme = url.partition("://")[0][:20]
        raise ChannelRefused(
            "url",
            f"The address (it begins with {scheme!r}) is none that alerts can be sent to. Write it as Apprise does, such "
            "as slack://…, mailtos://user:password@host, pagerduty://… or jsons://host/path.",
        )


def _instance(url: str) -> apprise.NotifyBase | None:
    # Nothing is kept on disk, and only addresses are understood: no files, no configurations, no plugins of others.
    asset = apprise.AppriseAsset(
        app_id="Interlock", app_desc="Interlock", secure_logging=True, plugin_paths=None, async_mode=False
    )
    made = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    return made if isinstance(made, apprise.NotifyBase) else None


async def send(url: str, severity: Severity, message: Composed) -> Sent | NotSent:
    """Give one message to one channel. Off the event loop, because the library blocks."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(_send, url, severity, message), SEND_WITHIN_SECONDS)
    except TimeoutError:
        return NotSent(f"no answer within {SEND_WITHIN_SECONDS:g} s")
    except Exception as error:
        # whatever a channel's library raises is a delivery that failed; its words may hold the address
        return NotSent(f"the channel's library failed ({type(error).__name__})")


def _send(url: str, severity: Severity, message: Composed) -> Sent | NotSent:
    made = _instance(url)
    if made is None:
        return NotSent("the address of the channel is not understood any more")
    taken = made.notify(
        body=message.body, title=message.title, notify_type=apprise.NotifyType(_TYPES[severity])
    )
    return Sent() if taken else NotSent("the channel did not take it")


async def beat_outside(http: httpx2.AsyncClient, url: str) -> Sent | NotSent:
    """Tell an outside address that we live. It pages when this stops."""
    try:
        response = await http.get(url, timeout=HEARTBEAT_WITHIN_SECONDS)
    except httpx2.HTTPError as error:
        return NotSent(f"the heartbeat's address did not answer ({type(error).__name__})")
    if response.status_code >= 300:
        return NotSent(f"the heartbeat's address answered {response.status_code}")
    return Sent()
