"""How calls to a marketplace are made, and what becomes of answers that cannot be used."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.client import CallLimits, MiraklClient
from interlock.mirakl.exact import written
from interlock.mirakl.failures import ReadRefused, ReadUnavailable, ReadUnreadable
from interlock.orders.outcomes import Unavailable, Unknown
from tests.mirakl.marketplace_documents import KEY, ORIGIN, NotedBudget, client_of, order_document

ACCOUNT = MiraklAccount(ORIGIN, KEY, "2005")
Answer = Callable[[httpx2.Request], httpx2.Response]


def always(status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    return lambda request: httpx2.Response(status, content=content, headers=headers)


def run(client: MiraklClient, call: Callable[[MiraklClient], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(call(client))


def test_a_read_carries_the_raw_key_and_the_shop_and_is_counted() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(
            200, content=b'{"orders": [{"order_id": "C7-A", "price": 0.10}], "total_count": 1}'
        )

    budget = NotedBudget()
    page = run(
        client_of(answer, budget),
        lambda c: c.orders("TAX_EXCLUDED", offset=90, states=("SHIPPING", "SHIPPED")),
    )

    assert str(page.documents[0]["price"]) == "0.10"
    assert isinstance(page.documents[0]["price"], Decimal)
    assert (page.total_count, page.offset) == (1, 90)
    (request,) = asked
    assert str(request.url).startswith(f"{ORIGIN}/api/orders?")
    assert request.headers["authorization"] == KEY
    assert dict(request.url.params) == {
        "order_tax_mode": "TAX_EXCLUDED",
        "order_state_codes": "SHIPPING,SHIPPED",
        "sort": "dateCreated",
        "order": "asc",
        "max": "100",
        "offset": "90",
        "shop_id": "2005",
    }
    assert budget.taken == [("OR11", "rest")]


def test_a_put_without_a_body_says_that_it_has_none() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(204)

    run(client_of(answer), lambda c: c.ship("C7/ä-A", "shipping", "op-1"))

    assert asked[0].headers["content-length"] == "0"
    assert asked[0].headers["x-client-reference"] == "op-1"
    assert asked[0].url.raw_path.startswith(b"/api/orders/C7%2F%C3%A4-A/ship?")
    assert asked[0].url.params["shop_id"] == "2005"


def test_amounts_are_sent_with_exactly_their_digits() -> None:
    bodies: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.content)
        return httpx2.Response(200, content=b'{"cancelations": []}')

    entry = {"order_line_id": "1", "amount": Decimal("0.10"), "shipping_amount": Decimal("1E+1")}
    run(client_of(answer), lambda c: c.cancel_lines("TAX_INCLUDED", [entry], "edits", "op-1"))

    assert b'"amount":0.10,"shipping_amount":10}' in bodies[0]


def test_a_redirect_is_never_followed() -> None:
    hosts: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        hosts.append(request.url.host)
        return httpx2.Response(302, headers={"location": "https://thief.example/"})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer), follow_redirects=True)
    with pytest.raises(ReadRefused, match="never followed"):
        run(MiraklClient(ACCOUNT, http, NotedBudget()), lambda c: c.shop())
    assert hosts == ["brand.mirakl.example"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>maintenance</html>", "it is an HTML or XML page, not JSON"),
        (b"", "it is empty"),
        (b'{"orders": [{"order_id"', "it is incomplete or broken JSON"),
        (b"[]", "it is JSON, but not an object"),
        (b'{"total_count": 1}', "it is JSON without the list 'orders'"),
        (b'{"orders": null}', "it is JSON without the list 'orders'"),
        (b'{"orders": ["C7-A"]}', "holds something else than objects"),
    ],
)
def test_an_answer_that_is_no_list_of_orders_is_named_for_what_it_is_and_kept_apart(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(ReadUnreadable, match=sentence) as caught:
        run(client_of(always(200, content)), lambda c: c.orders("TAX_INCLUDED"))
    assert caught.value.body == content
    assert caught.value.body_hash == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "check the connection"),
        (401, "key is not accepted"),
        (403, "role does not allow"),
        (404, "does not offer this operation"),
        (301, "never followed"),
    ],
)
def test_a_refused_read_says_what_to_do(status: int, sentence: str) -> None:
    body = json.dumps({"message": "Ask anna@example.org", "status": status}).encode()
    with pytest.raises(ReadRefused, match=sentence) as caught:
        run(client_of(always(status, body)), lambda c: c.reasons())
    assert caught.value.status == status
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "told"), [({"Retry-After": "7"}, 7.0), ({}, 60.0), ({"Retry-After": "Wed, 21 Oct"}, 60.0)]
)
def test_a_429_is_passed_on_to_the_budget(headers: dict[str, str], told: float) -> None:
    budget = NotedBudget()
    with pytest.raises(ReadUnavailable, match="too many calls"):
        run(client_of(always(429, headers=headers), budget), lambda c: c.carriers())
    assert budget.told == [("SH21", told)]


def test_without_budget_nothing_is_sent() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError("nothing may be sent")

    client = client_of(answer, NotedBudget(wait=30.0))
    with pytest.raises(ReadUnavailable) as caught:
        run(client, lambda c: c.shop())
    assert caught.value.retry_after == 30.0
    outcome = run(client, lambda c: c.ship("C7-A", "shipping", "op"))
    assert outcome == Unavailable("our own budget for OR24 is used up", 30.0)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx2.ConnectError("x"), Unavailable),
        (httpx2.ConnectTimeout("x"), Unavailable),
        (httpx2.PoolTimeout("x"), Unavailable),
        (httpx2.ReadTimeout("x"), Unknown),
        (httpx2.WriteTimeout("x"), Unknown),
        (httpx2.ReadError("x"), Unknown),
        (httpx2.WriteError("x"), Unknown),
        (httpx2.RemoteProtocolError("x"), Unknown),
    ],
)
def test_a_broken_connection_is_harmless_only_before_anything_was_sent(
    failure: Exception, kind: type[object]
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise failure

    assert isinstance(run(client_of(answer), lambda c: c.ship("C7-A", "shipping", "op")), kind)
    with pytest.raises(ReadUnavailable):
        run(client_of(answer), lambda c: c.shop())


def test_an_answer_that_never_comes_ends_as_unknown() -> None:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.sleep(30)
            raise AssertionError("the call should have been given up")

    http = httpx2.AsyncClient(transport=Silent())
    client = MiraklClient(ACCOUNT, http, NotedBudget(), CallLimits(whole=0.05))
    assert isinstance(run(client, lambda c: c.cancel_order("C7-A", "edits", "op")), Unknown)


def test_an_answer_without_end_is_cut_off() -> None:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(always(200, b" " * 1001)))
    client = MiraklClient(ACCOUNT, http, NotedBudget(), CallLimits(largest_body=1000))
    with pytest.raises(ReadUnavailable, match="larger than 1000 bytes"):
        run(client, lambda c: c.shop())


def test_no_error_and_no_page_shows_personal_data() -> None:
    content = written({"orders": [order_document()], "total_count": 1}).encode()
    page = run(client_of(always(200, content)), lambda c: c.orders("TAX_INCLUDED"))
    assert "Kowal" not in repr(page)
    with pytest.raises(ReadUnreadable) as caught:
        run(client_of(always(200, content[:-5])), lambda c: c.orders("TAX_INCLUDED"))
    assert "Kowal" not in repr(caught.value)
    assert "Kowal" not in str(caught.value)
