"""What is refused before any page: told to a person as a page, to a program as JSON."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI

from interlock.storage.database import InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER, Numbered, Stopped, Wakes
from tests.web.browser import Browser, text_of

A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MIB = 1024 * 1024
TOO_LARGE = {"content": b"x" * (4 * MIB)}
FOREIGN = {"data": {"x": "y"}, "headers": {"Sec-Fetch-Site": "cross-site"}}


@pytest.fixture
def app(store: InlineStore, keyring: Keyring) -> FastAPI:
    return create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))


REFUSALS = [
    ("http://localhost", "POST", "/connections/1/skus/import", TOO_LARGE, 413, "form_too_large"),
    ("http://localhost", "POST", "/theme", FOREIGN, 403, "foreign_form"),
    ("http://rebound.example", "GET", "/", {}, 421, "host_refused"),
]


@pytest.mark.parametrize(("address", "method", "path", "given", "status", "error"), REFUSALS)
def test_a_person_reads_on_a_page_why_the_console_refuses(
    app: FastAPI, address: str, method: str, path: str, given: dict[str, Any], status: int, error: str
) -> None:
    headers = {**given.get("headers", {}), **A_PERSON}

    answered = Browser(app, address).ask(method, path, **{**given, "headers": headers})
    as_json = Browser(app, address).ask(method, path, **given).json()

    assert answered.status_code == status
    assert answered.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answered.headers["content-security-policy"]
    assert text_of(answered) == f"Not done {as_json['detail']}"
    assert as_json["error"] == error


def test_a_form_that_is_too_large_says_how_large_it_may_be(app: FastAPI) -> None:
    said = text_of(Browser(app).post("/connections/1/skus/import", headers=A_PERSON, **TOO_LARGE))

    assert "may have 3 MiB, and a file in it 2 MiB; this one has 4.0 MiB. Nothing was changed." in said


@pytest.mark.parametrize(
    ("address", "path"),
    [("http://localhost", "/v1/orders"), ("http://elsewhere.example", "/v1/orders")],
)
def test_the_api_answers_json_whoever_asks(app: FastAPI, address: str, path: str) -> None:
    refused = Browser(app, address).post(path, headers=A_PERSON, **TOO_LARGE)

    assert refused.status_code in (413, 421)
    assert refused.json()["detail"]


@pytest.mark.parametrize(("megabytes", "read"), [(4, 4), (63, 63), (65, 0)])
def test_a_browser_is_heard_out_before_it_is_told_but_not_for_ever(
    app: FastAPI, megabytes: int, read: int
) -> None:
    got: list[int] = []
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        assert not sent
        got.append(1)
        return {"type": "http.request", "body": b"x" * MIB, "more_body": len(got) < megabytes}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"host", b"localhost"),
        (b"accept", b"text/html"),
        (b"content-length", str(megabytes * MIB).encode()),
    ]
    scope = {"type": "http", "method": "POST", "path": "/theme", "headers": headers, "query_string": b""}
    asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 413
    assert sum(got) == read
