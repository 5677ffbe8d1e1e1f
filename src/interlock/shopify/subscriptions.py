"""Keeps the shop's webhook subscriptions in place: Shopify removes them after failures, so they are asserted again."""

from dataclasses import dataclass

import httpx2

from interlock.orders.outcomes import Confirmed
from interlock.shopify import perform
from interlock.shopify.account import is_loopback
from interlock.shopify.client import API_VERSION, ShopifyClient, understood
from interlock.shopify.webhooks import TOPICS


class WebhookAddressRefused(ValueError):
    """Deliveries cannot come to this address."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            f"{uri[:120]!r} is not an https address. Nothing was subscribed; "
            "give the public https address of this installation's webhook ingress."
        )


@dataclass(frozen=True, slots=True)
class SubscriptionReport:
    """What `ensure` found: topics that were there, topics it added, and topics it could not add with the reason.
    `other_versions` are API versions deliveries are configured for besides ours (reference 9.2)."""

    present: tuple[str, ...]
    added: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    other_versions: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.failed


async def ensure(client: ShopifyClient, base_uri: str, *, loopback_http: bool = False) -> SubscriptionReport:
    """Every topic of `TOPICS` is delivered to `base_uri`. Safe to repeat at any time; adds what is missing and leaves
    everything else alone. `loopback_http` allows plain http for simulators. Raises WebhookAddressRefused, and
    CallFailed when the list cannot be read."""
    url = httpx2.URL(base_uri)
    if url.scheme != "https" and not (loopback_http and url.scheme == "http" and is_loopback(url.host)):
        raise WebhookAddressRefused(base_uri)
    there: dict[str, None] = {}
    versions: dict[str, None] = {}
    after: str | None = None
    while True:
        with understood("Subscriptions"):
            page = (await client.subscriptions(after=after)).webhook_subscriptions
        for node in page.nodes:
            if node.uri == base_uri:
                there[node.topic] = None
                versions[node.api_version.handle] = None
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page or not after:
            break
    added: list[str] = []
    failed: list[tuple[str, str]] = []
    for topic in TOPICS.values():
        if topic.name in there:
            continue
        outcome = await perform.subscribe(client, topic.name, base_uri, topic.include_fields)
        if isinstance(outcome, Confirmed):
            added.append(topic.name)
        else:
            failed.append((topic.name, getattr(outcome, "words", "") or getattr(outcome, "why", "")))
    return SubscriptionReport(
        present=tuple(topic.name for topic in TOPICS.values() if topic.name in there),
        added=tuple(added),
        failed=tuple(failed),
        other_versions=tuple(version for version in versions if version != API_VERSION),
    )
