"""Reaches a simulated platform inside this process, with time-outs on the event loop's own clock."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
from starlette.types import ASGIApp, Message, Scope

from interlock.simulator.faults import ConnectionLost


class ClockedASGITransport(httpx2.AsyncBaseTransport):
    """An HTTP transport whose server is an ASGI application in the same event loop.

    The application runs in a task of its own. When the request's read time-out (seconds of the loop's clock,
    virtual or real) passes, the caller gets `httpx2.ReadTimeout` and the task goes on, as a server would;
    `faults.ConnectionLost` becomes `httpx2.ReadError`. Cancelling the caller does not stop the application
    either. Tasks are kept until they end; one that failed after its caller had left is listed in `failures`.
    """

    def __init__(self, app: ASGIApp, client: tuple[str, int] = ("127.0.0.1", 123)) -> None:
        self._app = app
        self._client = client
        self._running: dict[asyncio.Task[None], None] = {}
        self._abandoned: dict[asyncio.Task[None], None] = {}
        self.failures: list[BaseException] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises ReadTimeout, ReadError, or whatever the application itself raised."""
        body = await request.aread()
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        status = 0
        headers: list[tuple[bytes, bytes]] = []
        parts: list[bytes] = []
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.shield(task)
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False) and not answered.done():
                    answered.set_result(None)

        task = loop.create_task(self._serve(self._scope(request), receive, send))
        self._running[task] = None
        task.add_done_callback(lambda ended: self._ended(ended, answered))
        timeout = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(timeout):
                await answered
        except TimeoutError as late:
            self._leave(task)
            raise httpx2.ReadTimeout(
                f"No answer from the simulated platform within {timeout} s.", request=request
            ) from late
        except ConnectionLost as lost:
            raise httpx2.ReadError("The connection broke before an answer came.", request=request) from lost
        except asyncio.CancelledError:
            self._leave(task)
            raise
        return httpx2.Response(status, headers=headers, content=b"".join(parts), request=request)

    async def drain(self) -> None:
        """Wait until every request that is still being served has ended."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def _serve(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        await self._app(scope, receive, send)

    def _leave(self, task: asyncio.Task[None]) -> None:
        if not task.done():
            self._abandoned[task] = None

    def _ended(self, task: asyncio.Task[None], answered: "asyncio.Future[None]") -> None:
        self._running.pop(task, None)
        abandoned = self._abandoned.pop(task, "no") is None
        if task.cancelled():
            answered.cancel()
            return
        failure = task.exception()
        if failure is not None and (abandoned or answered.done()):
            if not isinstance(failure, ConnectionLost):
                self.failures.append(failure)
        elif failure is not None:
            answered.set_exception(failure)
        elif not answered.done():
            answered.set_exception(RuntimeError("The application ended without sending an answer."))

    def _scope(self, request: httpx2.Request) -> Scope:
        url = request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": self._client,
            "root_path": "",
        }
