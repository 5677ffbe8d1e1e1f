"""What the engine needs of a platform adapter, and what an adapter needs of the engine."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from interlock.orders.actions import Lane


class ReadFailed(Exception):
    """A read of a platform did not succeed; nothing may be concluded from it. `why` holds no personal data. `trouble`
    says what kind of failure it is where a person has to put it right; `too_many_calls` that the platform refused the call
    for load (HTTP 429). `body` is what came in place of an answer, for an encrypted store alone; it is part of no sentence."""

    def __init__(
        self,
        platform: str,
        why: str,
        retry_after: float | None = None,
        trouble: Literal["credential_refused", "scope_missing", "unreachable"] = "unreachable",
        too_many_calls: bool = False,
        body: bytes = b"",
    ) -> None:
        super().__init__(
            f"{platform} could not be read: {why}. Nothing was decided on it; the read is tried again by itself."
        )
        self.platform = platform
        self.why = why
        self.retry_after = retry_after
        self.trouble = trouble
        self.too_many_calls = too_many_calls
        self.body = body


class CallBudget(Protocol):
    """The call ceilings of one platform account, shared by every worker."""

    async def take(self, operation: str, lane: Lane) -> float:
        """Ask to make one call now. 0.0 means: go, it is counted. More means: not yet, and after how many
        seconds to ask again; nothing was counted."""
        ...

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        """The platform itself said to wait (429, THROTTLED): nobody calls this operation until then."""
        ...


async def nobody_else() -> None:
    """The order is ours as long as we like: nobody else writes to it (set-up work and tests)."""


@dataclass(frozen=True, slots=True)
class OrderContext:
    """What performing an action needs besides the action: names, and the marketplace's own document with the
    personal data that plans must not hold. `reference` identifies the operation and attempt; it is sent as
    the X-Client-Reference header. `marker` is the unique value `<connection>:<Mirakl order id>`. `text` is what the
    action's `text_id` stands for, decrypted: an address as a JSON object with the fields of
    AddressParts plus `phone`, or the words of a message. `shipping_title` is what the shop calls the order's
    shipping method, empty for the marketplace's own label.

    `still_ours` is awaited before each further call of an action that takes several: it makes sure that the order has
    not gone to another writer and gives the next call its time. It raises what ends the run.
    """

    connection: str
    order_id: str
    marker: str
    hold_handle: str
    reference: str
    document: Mapping[str, Any] | None
    shopify_order_name: str = ""
    text: str = ""
    shipping_title: str = ""
    still_ours: Callable[[], Awaitable[None]] = nobody_else
