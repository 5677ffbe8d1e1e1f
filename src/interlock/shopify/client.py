"""One shop's Admin API: tokens, budgets, cost and versions; every generated operation goes out through here."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn, Protocol

import httpx2
from pydantic import BaseModel, ValidationError

from interlock.orders.actions import Lane
from interlock.orders.outcomes import Refused, Unavailable, Unknown
from interlock.orders.ports import CallBudget
from interlock.shopify.account import ShopifyShop
from interlock.shopify.classify import (
    CREDENTIALS_WRONG,
    CallFailed,
    Failure,
    http_failure,
    search_warnings,
    seconds,
    throttle_wait,
    top_level_failure,
    words_of,
)
from interlock.shopify.generated.base_model import UnsetType
from interlock.shopify.generated.operations import Operations
from interlock.storage.text import storable_document

API_VERSION = "2026-10"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
CALL_TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
# A call may wait this long for its place in a budget; longer waits are the engine's business.
PATIENCE_SECONDS = 2.0
_REFRESH_AT = 0.8
# Share of the cost bucket a lane leaves to more urgent ones. A parcel that exists is held before the next order is created
# (decision 0019).
_LEFT_FOR_OTHERS: dict[Lane, float] = {
    "holds": 0.0,
    "acceptance": 0.05,
    "edits": 0.1,
    "shipping": 0.1,
    "rest": 0.25,
}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when a younger one is to be asked for."""

    value: str = field(repr=False)
    refresh_at: datetime


class TokenShelf(Protocol):
    """Where every worker finds the token that one of them was given. A shop may end the former token when it gives a
    new one (reference 17.11): workers that each asked for their own would take it from one another at every call."""

    async def taken(self) -> Token | None:
        """The token that was put here last; None when there is none or it is not readable."""
        ...

    async def put(self, token: Token) -> None:
        """Leave a new token for everybody."""
        ...


class OwnShelf:
    """A shelf of this process alone: for a client that nobody else shares a shop with."""

    def __init__(self) -> None:
        self._token: Token | None = None

    async def taken(self) -> Token | None:
        return self._token

    async def put(self, token: Token) -> None:
        self._token = token


@dataclass
class Counters:
    """What happened on this connection since it was made, for health and metrics."""

    calls: int = 0
    throttled: int = 0
    tokens: int = 0
    token_refusals: int = 0
    version_mismatches: int = 0
    partial_answers: int = 0
    ambiguous_skus: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer that may be used. `errors` can be present beside `data` (fact 17)."""

    operation: str
    is_write: bool
    data: dict[str, Any]
    errors: Any


class CostBucket:
    """The shop's leaky bucket as its answers last described it (reference 4.1): never a size of our own."""

    def __init__(self) -> None:
        self._available = 0.0
        self._maximum = 0.0
        self._restore = 0.0
        self._at: datetime | None = None
        self._asked: dict[str, float] = {}

    def wait(self, operation: str, lane: Lane, now: datetime) -> float:
        """Seconds until `operation`, at the cost it had last time, leaves enough for more urgent lanes."""
        if self._at is None or self._restore <= 0:
            return 0.0
        passed = max((now - self._at).total_seconds(), 0.0)
        available = min(self._available + passed * self._restore, self._maximum)
        wanted = self._asked.get(operation, 10.0) + self._maximum * _LEFT_FOR_OTHERS[lane]
        return max(min(wanted, self._maximum) - available, 0.0) / self._restore

    def learn(self, operation: str, extensions: Any, now: datetime) -> None:
        """Take over what an answer says about the bucket; an answer that says nothing changes nothing."""
        cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
        status = cost.get("throttleStatus") if isinstance(cost, Mapping) else None
        if not isinstance(cost, Mapping) or not isinstance(status, Mapping):
            return
        try:
            asked = float(cost["requestedQueryCost"])
            maximum, available = float(status["maximumAvailable"]), float(status["currentlyAvailable"])
            restore = float(status["restoreRate"])
        except (KeyError, TypeError, ValueError):
            return
        self._asked[operation] = asked
        self._maximum, self._available, self._restore, self._at = maximum, available, restore, now

    def spend(self, operation: str) -> None:
        """Count a call that is leaving, so that calls under way at the same time do not share one allowance."""
        self._available = max(self._available - self._asked.get(operation, 10.0), 0.0)


class ShopifyClient(Operations):
    """Every operation of `queries/`, sent to one shop. Operations take `lane` and `reference` besides their variables.

    Raises CallFailed from every operation; its `outcome` says whether the call may have had an effect. Safe to
    share between tasks of one event loop.
    """

    def __init__(
        self,
        shop: ShopifyShop,
        http: httpx2.AsyncClient,
        budget: CallBudget,
        clock_now: Callable[[], datetime],
        shelf: TokenShelf | None = None,
    ) -> None:
        self.shop = shop
        self.clock_now = clock_now
        self.counters = Counters()
        # false once the shop has refused to show an order's customer; asked again by the next client
        self.sees_customers = True
        self._http = http
        self._budget = budget
        self._bucket = CostBucket()
        self._token: Token | None = None
        self._refused = ""
        self._shelf = OwnShelf() if shelf is None else shelf
        self._asking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"ShopifyClient({self.shop.shop_domain})"

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
        *,
        lane: Lane = "rest",
        reference: str = "",
        private: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> Answer:
        """Send one document (POST graphql.json) and return what it gave. `private` are texts that the shop might
        repeat in its messages and that must not leave through them. Raises CallFailed."""
        operation = operation_name or "unnamed"
        is_write = query.lstrip().startswith("mutation")
        await self._admitted(operation, lane)
        body = json.dumps(
            {"query": query, "operationName": operation_name, "variables": plain(variables or {})},
            separators=(",", ":"),
        ).encode()
        status, headers, content = await self._sent(operation, body, reference)
        failure = http_failure(status, headers.get("retry-after"))
        if failure is not None:
            if status == 429:
                wait = seconds(headers.get("retry-after")) or 1.0
                await self._told_to_wait(operation, wait)
            raise CallFailed(operation, _with_request_id(failure, headers))
        if headers.get("x-shopify-api-version", API_VERSION) != API_VERSION:
            self.counters.version_mismatches += 1
        return await self._read(operation, is_write, headers, content, private)

    def get_data(self, response: Any) -> dict[str, Any]:
        """The data of an answer of `execute`. A read with errors beside its data is refused as a whole, because what
        is missing from it could be taken for what is gone."""
        answer: Answer = response
        if answer.errors:
            self.counters.partial_answers += 1
            if not answer.is_write:
                words = "; ".join(
                    words_of(str(error.get("message", "")))
                    for error in answer.errors
                    if isinstance(error, dict)
                )
                raise CallFailed(answer.operation, Refused("PARTIAL_ANSWER", f"Parts were withheld: {words}"))
        for payload in answer.data.values():
            if isinstance(payload, dict):
                _errors_as_text(payload)
        return answer.data

    async def _admitted(self, operation: str, lane: Lane) -> None:
        """Take a place in both budgets, waiting at most PATIENCE_SECONDS in all."""
        waited = 0.0
        while True:
            wait = self._bucket.wait(operation, lane, self.clock_now())
            if wait <= 0:
                wait = await self._budget.take(operation, lane)
                if wait <= 0:
                    self._bucket.spend(operation)
                    self.counters.calls += 1
                    return
            if waited + wait > PATIENCE_SECONDS:
                raise CallFailed(operation, Unavailable("our call budget for this shop is used up", wait))
            # never less than a moment, or a wait too small to move the clock would be asked for again for ever
            step = max(wait, 0.01)
            await asyncio.sleep(step)
            waited += step

    async def _sent(self, operation: str, body: bytes, reference: str) -> tuple[int, httpx2.Headers, bytes]:
        """Post once, and once more with another token after a 401, which is given before anything runs."""
        token = await self._valid_token(operation)
        status, headers, content = await self._post(operation, body, token, reference)
        if status == 401:
            self._was_refused(token)
            token = await self._valid_token(operation)
            status, headers, content = await self._post(operation, body, token, reference)
            if status == 401:
                self._was_refused(token)
        return status, headers, content

    def _was_refused(self, token: str) -> None:
        self.counters.token_refusals += 1
        self._refused = token

    async def _post(
        self, operation: str, body: bytes, token: str, reference: str
    ) -> tuple[int, httpx2.Headers, bytes]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": token,
        }
        if reference:
            headers["X-Client-Reference"] = reference
        return await self._exchange(operation, f"/admin/api/{API_VERSION}/graphql.json", body, headers)

    async def _exchange(
        self, operation: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, httpx2.Headers, bytes]:
        url = self.shop.base_url.rstrip("/") + path
        try:
            async with self._http.stream(
                "POST", url, content=body, headers=headers, timeout=CALL_TIMEOUT, follow_redirects=False
            ) as response:
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > MAX_ANSWER_BYTES:
                        raise CallFailed(
                            operation, Unknown(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
                        )
                return response.status_code, response.headers, bytes(content)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as failed:
            why = f"no connection to the shop ({type(failed).__name__})"
            raise CallFailed(operation, Unavailable(why)) from None
        except (httpx2.TransportError, httpx2.DecodingError) as failed:
            why = f"the connection broke or the answer did not come in time ({type(failed).__name__})"
            raise CallFailed(operation, Unknown(why)) from None

    async def _read(
        self,
        operation: str,
        is_write: bool,
        headers: httpx2.Headers,
        content: bytes,
        private: tuple[str, ...],
    ) -> Answer:
        """Judge a 2xx answer. Raises CallFailed unless every root field has a result."""
        try:
            document = storable_document(json.loads(content, parse_float=Decimal), content)
        except (ValueError, RecursionError):
            raise CallFailed(operation, Unknown("the answer is not JSON")) from None
        if not isinstance(document, dict):
            raise CallFailed(operation, Unknown("the answer is not a JSON object"))
        data, errors, extensions = document.get("data"), document.get("errors"), document.get("extensions")
        self._bucket.learn(operation, extensions, self.clock_now())
        if data is not None and not isinstance(data, dict):
            raise CallFailed(operation, Unknown("the answer's data is not a JSON object"))
        failure = top_level_failure(errors, data, extensions, private)
        if failure is not None:
            if isinstance(failure, Unavailable):
                self.counters.throttled += 1
                await self._told_to_wait(operation, failure.retry_after or throttle_wait(extensions))
            raise CallFailed(operation, _with_request_id(failure, headers))
        if data is None:
            raise CallFailed(operation, Unknown("the answer has neither data nor errors"))
        ignored = search_warnings(extensions)
        if ignored:
            words = f"The shop ignored parts of our search, so its answer is wider: {', '.join(ignored)}."
            raise CallFailed(operation, Refused("SEARCH_FILTER_IGNORED", words))
        return Answer(operation, is_write, data, errors)

    async def _told_to_wait(self, operation: str, wait: float) -> None:
        await self._budget.told_to_wait(operation, wait)

    async def _valid_token(self, operation: str) -> str:
        """The access token: the one at hand, else the one another worker was given, else a new one. Another is needed
        when there is none, when the shop refused it, or when 80 % of its life is over. One request at a time."""
        async with self._asking:
            if not self._serves(self._token):
                self._token = await self._shelf.taken()
            if self._token is None or not self._serves(self._token):
                value, life = await self._new_token(operation)
                self._token = Token(value, self.clock_now() + timedelta(seconds=life * _REFRESH_AT))
                await self._shelf.put(self._token)
                self.counters.tokens += 1
            return self._token.value

    def _serves(self, token: Token | None) -> bool:
        return token is not None and token.value != self._refused and self.clock_now() < token.refresh_at

    async def _new_token(self, operation: str) -> tuple[str, float]:
        """Client-credentials grant (reference 2.1). Whatever goes wrong here, the operation itself never left."""
        asked = {
            "client_id": self.shop.client_id,
            "client_secret": self.shop.client_secret,
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            status, answered, content = await self._exchange(
                operation, "/admin/oauth/access_token", json.dumps(asked).encode(), headers
            )
        except CallFailed:
            self._no_token(operation, "the shop's token endpoint did not answer")
        if not 200 <= status < 300:
            why = f"the shop gave no token (HTTP {status})"
            if status in (400, 401, 403):
                why += CREDENTIALS_WRONG
            self._no_token(operation, why, seconds(answered.get("retry-after")))
        try:
            document = json.loads(content)
            token, life = document["access_token"], float(document["expires_in"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self._no_token(operation, "the shop's token endpoint gave an unreadable answer")
        if not isinstance(token, str) or not token or life <= 0:
            self._no_token(operation, "the shop's token endpoint gave an unusable token")
        return token, life

    def _no_token(self, operation: str, why: str, retry_after: float | None = None) -> NoReturn:
        raise CallFailed(operation, Unavailable(why, retry_after)) from None


@contextmanager
def understood(operation: str) -> Iterator[None]:
    """Turns an answer whose shape is not the one the document asks for into CallFailed, naming the field but none of
    its content."""
    try:
        yield
    except ValidationError as wrong:
        where = ".".join(str(part) for part in wrong.errors(include_input=False, include_url=False)[0]["loc"])
        raise CallFailed(operation, Unknown(f"the answer cannot be read at {where or 'its root'}")) from None


def plain(value: Any) -> Any:
    """Variables as JSON values: input objects by the platform's names and without what was not set."""
    if isinstance(value, BaseModel):
        return {
            (described.alias or name): plain(getattr(value, name))
            for name, described in type(value).model_fields.items()
            if name in value.model_fields_set
        }
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items() if not isinstance(item, UnsetType)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _errors_as_text(payload: dict[str, Any]) -> None:
    """User errors name list positions as text or as numbers (reference 4.4); numbers become text."""
    for name in ("userErrors", "orderCancelUserErrors"):
        for error in payload.get(name) or ():
            if isinstance(error, dict) and isinstance(error.get("field"), list):
                error["field"] = [str(part) for part in error["field"]]


def _with_request_id(failure: Failure, headers: httpx2.Headers) -> Failure:
    """An unclear end names the request under which the shop's support can find it."""
    request_id = re.sub(r"[^A-Za-z0-9-]", "", headers.get("x-request-id", ""))[:64]
    if isinstance(failure, Unknown) and request_id:
        return Unknown(f"{failure.why} (request {request_id})")
    return failure
