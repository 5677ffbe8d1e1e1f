"""A small browser over the in-process application: keeps cookies, reads forms, follows nothing by itself."""

import asyncio
import html
import re
from collections.abc import Mapping
from typing import Any

import httpx2
from starlette.types import ASGIApp


class Browser:
    """Asks the application for pages as a person's browser does."""

    def __init__(
        self, app: ASGIApp, base_url: str = "http://localhost:8080", peer: str = "127.0.0.1"
    ) -> None:
        self._app = app
        self._peer = peer
        self._base_url = base_url
        self._cookies: dict[str, str] = {}

    def keep_cookie(self, name: str, value: str) -> None:
        """Have a cookie as if a page had set it."""
        self._cookies[name] = value

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies as they are now."""
        return dict(self._cookies)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        return self._send("GET", path, headers=headers)

    def post(self, path: str, **arguments: Any) -> httpx2.Response:
        return self._send("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> httpx2.Response:
        return self._send("PUT", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx2.Response:
        return self._send("DELETE", path, **arguments)

    def ask(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        return self._send(method, path, **arguments)

    def submit(self, page: str, action: str, **arguments: Any) -> httpx2.Response:
        """Read a page, then send the form at `action` with the seal that page carries."""
        token = re.search(r'name="token" value="([^"]+)"', self.get(page).text)
        assert token is not None
        data = {"token": html.unescape(token[1]), **arguments.pop("data", {})}
        return self.post(action, data=data, **arguments)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self._app, raise_app_exceptions=True, client=(self._peer, 50000))
            async with httpx2.AsyncClient(
                transport=transport, base_url=self._base_url, cookies=self._cookies
            ) as client:
                response = await client.request(method, path, **arguments)
                self._cookies.update(dict(response.cookies))
                return response

        return asyncio.run(send())


def text_of(response: httpx2.Response) -> str:
    """What a person reads on a page: without marks, entities and runs of blanks."""
    plain = re.sub(r"<(script|style|title)\b.*?</\1>", " ", response.text, flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", plain)
    return " ".join(html.unescape(plain).split())
