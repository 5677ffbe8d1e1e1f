"""Things that go wrong between a caller and a platform, injected in front of the platform's own application."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULT_KINDS = (
    "refused_before",  # 503, nothing happened
    "reply_lost",  # the platform did it, the caller hears nothing
    "late_apply",  # the caller's connection dies at once, the platform does it `seconds` later
    "rate_limited",  # 429, with Retry-After when `seconds` > 0
    "server_error",  # `status`, nothing happened
    "server_error_after",  # `status`, but it happened
    "slow",  # answered after `seconds`
    "truncated",  # the body breaks off in the middle; it happened
    "html",  # 200 with a gateway's HTML page; nothing happened
    "items_missing",  # it happened, and the lists of the JSON answer are empty
)


@dataclass(frozen=True)
class Fault:
    """One injected fault. `seconds` are platform seconds; `status` is used by the server_error kinds."""

    kind: str
    seconds: float = 0.0
    status: int = 500

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"There is no fault {self.kind!r}. Known: {', '.join(FAULT_KINDS)}.")


class FaultPlan(Protocol):
    """Says, for each request, what goes wrong with it. `operation` is as in `record.Call.operation`."""

    def next_fault(self, operation: str) -> Fault | None: ...


class ConnectionLost(Exception):
    """The caller's connection broke without an answer. In process, the caller's transport turns this into its
    own read error; over real HTTP the server closes the connection."""


class ArmedFaults:
    """Faults armed one by one: each is spent on the next request of its operation (`*` matches any)."""

    def __init__(self) -> None:
        self._armed: list[tuple[str, Fault]] = []

    def arm(self, operation: str, fault: Fault, times: int = 1) -> None:
        self._armed.extend([(operation, fault)] * times)

    def next_fault(self, operation: str) -> Fault | None:
        for index, (wanted, fault) in enumerate(self._armed):
            if wanted in ("*", operation):
                del self._armed[index]
                return fault
        return None

    def clear(self) -> None:
        self._armed.clear()


class FaultyFront:
    """ASGI application that stands before a platform and applies a fault plan.

    `operation_of(method, path, body)` names the operation; requests for which it returns None (control
    endpoints) are never disturbed. `sleep(platform_seconds)` waits on the platform's clock. The name of the
    fault that was applied is passed to the platform in `scope["state"]["fault"]` so that its call log can show it, and in
    `scope["state"]["late"]` by how many platform seconds it came late; requests the platform never saw are reported
    through `unseen(operation, headers, status, fault)`.
    """

    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        operation_of: Callable[[str, str, bytes], str | None],
        sleep: Callable[[float], Awaitable[None]],
        unseen: Callable[[str, dict[str, str], int, str], None],
    ) -> None:
        self.app = app
        self.plan = plan
        self._operation_of = operation_of
        self._sleep = sleep
        self._unseen = unseen
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await _read_body(receive)
        operation = self._operation_of(scope["method"], scope["path"], body)
        fault = self.plan.next_fault(operation) if operation is not None else None
        if operation is None or fault is None:
            await self.app(scope, _replay(body), send)
            return
        scope.setdefault("state", {})["fault"] = fault.kind
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        match fault.kind:
            case "refused_before":
                self._unseen(operation, headers, 503, fault.kind)
                await _answer(send, 503, b'{"message": "Service unavailable", "status": 503}')
            case "rate_limited":
                extra = [(b"retry-after", str(int(fault.seconds)).encode())] if fault.seconds > 0 else []
                self._unseen(operation, headers, 429, fault.kind)
                await _answer(send, 429, b'{"message": "Too many requests", "status": 429}', extra)
            case "server_error":
                self._unseen(operation, headers, fault.status, fault.kind)
                await _answer(send, fault.status, b"")
            case "html":
                self._unseen(operation, headers, 200, fault.kind)
                page = b"<html><body><h1>Just a moment</h1></body></html>"
                await _answer(send, 200, page, [], b"text/html")
            case "reply_lost":
                await self.app(scope, _replay(body), _swallow)
                raise ConnectionLost(operation)
            case "late_apply":
                scope["state"]["late"] = fault.seconds
                self._later(scope, body, fault.seconds)
                raise ConnectionLost(operation)
            case "server_error_after":
                await self.app(scope, _replay(body), _swallow)
                await _answer(send, fault.status, b"")
            case "slow":
                scope["state"]["late"] = fault.seconds
                await self._sleep(fault.seconds)
                await self.app(scope, _replay(body), send)
            case "truncated":
                await self.app(scope, _replay(body), _cut_in_half(send))
            case "items_missing":
                await self.app(scope, _replay(body), _without_items(send))
            case _:
                raise AssertionError(fault.kind)

    def _later(self, scope: Scope, body: bytes, seconds: float) -> None:
        async def run() -> None:
            await self._sleep(seconds)
            await self.app(scope, _replay(body), _swallow)

        task = asyncio.get_running_loop().create_task(run())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def json_body(value: object) -> bytes:
    """Compact JSON bytes, as a platform would send them."""
    return json.dumps(value, separators=(",", ":")).encode()


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _swallow(message: Message) -> None:
    del message


def _cut_in_half(send: Send) -> Send:
    async def cut(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {
                **message,
                "headers": [(k, v) for k, v in message["headers"] if k.lower() != b"content-length"],
            }
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2]}
        await send(message)

    return cut


def _without_items(send: Send) -> Send:
    """Passes on an answer whose lists have lost what was in them; anything but a JSON object passes as it is."""

    async def emptied(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message["headers"] if k.lower() != b"content-length"]
            message = {**message, "headers": kept}
        elif message["type"] == "http.response.body":
            message = {**message, "body": _emptied(message.get("body", b""))}
        await send(message)

    return emptied


def _emptied(body: bytes) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if not isinstance(document, dict):
        return body
    return json_body({name: [] if isinstance(value, list) else value for name, value in document.items()})


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    extra: list[tuple[bytes, bytes]] | None = None,
    content_type: bytes = b"application/json",
) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        *(extra or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
