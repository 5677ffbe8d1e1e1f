"""How the end of a call to a marketplace is judged."""

import json
from typing import Any

import pytest

from interlock.mirakl.classify import (
    Answered,
    Broken,
    NotSent,
    Postponed,
    Reply,
    classify,
    refusal,
    told_words,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown

HTML = b"<!doctype html><html><body>Just a moment</body></html>"


def answered(status: int, body: object = None, **headers: str) -> Answered:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answered(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize("operation", ["OR21", "OR23", "OR24", "OR29"])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answered(204), Confirmed()),
        (answered(200), Confirmed()),
        (answered(200, {}), Confirmed()),
        (
            answered(200, HTML),
            Unknown("answered 200, but the answer is an HTML or XML page, not JSON"),
        ),
        (answered(200, {"errors": [{"code": "X"}]}), Unknown("answered 200 with an error in the body")),
        (answered(201), Unknown("answered with status 201")),
        (answered(302, None, location="https://elsewhere.example"), Unknown("answered with status 302")),
        (
            answered(400, {"message": "Wrong", "status": 400, "code": "ORDER_INVALID_STATE"}),
            Refused("ORDER_INVALID_STATE", "Wrong"),
        ),
        (answered(400, {"message": "Wrong", "status": 400}), Refused("HTTP_400", "Wrong")),
        (answered(400), Refused("HTTP_400", "")),
        (answered(400, HTML), Refused("HTTP_400", "")),
        (answered(401, {"message": "no"}), Unavailable("key refused")),
        (answered(403, {"message": "no role"}), Refused("HTTP_403", "no role")),
        (answered(404, HTML), Refused("HTTP_404", "")),
        (answered(408), Unknown("answered with status 408")),
        (answered(429, None, retry_after="17"), Unavailable("too many calls", 17.0)),
        (answered(429, HTML), Unavailable("too many calls", None)),
        (answered(500, {"message": "no", "status": 500}), Unknown("answered with status 500")),
        (answered(503, None, retry_after="9"), Unknown("answered with status 503")),
        (NotSent("no connection"), Unavailable("no connection")),
        (Broken("no answer in time"), Unknown("no answer in time")),
    ],
)
def test_operations_that_answer_without_a_body_are_judged_by_status_and_absence_of_errors(
    operation: str, reply: Reply, outcome: Outcome
) -> None:
    assert classify(operation, reply, ()) == outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answered(200, {"updated_orders": [{"order_id": "C7-A", "errors": []}]}), Confirmed()),
        (answered(200, {"updated_orders": [{"order_id": "C7-A", "errors": None}]}), Confirmed()),
        (
            answered(
                200,
                {
                    "updated_orders": [
                        {"order_id": "C7-A", "errors": [{"code": "NOT_BLANK", "message": "empty"}]}
                    ]
                },
            ),
            Refused("NOT_BLANK", "empty"),
        ),
        (
            answered(200, {"updated_orders": [{"order_id": "C7-A", "errors": [{"field": "references"}]}]}),
            Refused("ITEM_REFUSED", ""),
        ),
        (
            answered(200, {"updated_orders": [{"order_id": "C8-A", "errors": []}]}),
            Unknown("answered 200, but the answer does not contain our order"),
        ),
        (answered(204), Unknown("answered 204, but the answer is empty")),
    ],
)
def test_a_reference_is_set_only_if_the_answer_shows_our_order_without_errors(
    reply: Reply, outcome: Outcome
) -> None:
    assert classify("OR04", reply, ("C7-A",)) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (
            answered(
                200,
                {
                    "cancelations": [
                        {"order_line_id": "C7-A-2", "cancelation_id": 12},
                        {"order_line_id": "C7-A-1", "cancelation_id": "11"},
                    ]
                },
            ),
            Confirmed((("cancelation_id:C7-A-1", "11"), ("cancelation_id:C7-A-2", "12"))),
        ),
        (
            answered(200, {"cancelations": [{"order_line_id": "C7-A-1", "cancelation_id": "11"}]}),
            Unknown("answered 200, but the answer does not contain all our lines"),
        ),
        (
            answered(200, b'{"cancelations": [{"order_line_id": "C7-A-1", "cance'),
            Unknown("answered 200, but the answer is incomplete or broken JSON (at character 46)"),
        ),
        (answered(200, []), Unknown("answered 200, but the answer does not contain all our lines")),
        (Postponed(12.5), Unavailable("our own budget for OR30 is used up", 12.5)),
    ],
)
def test_a_cancelation_counts_only_if_the_answer_contains_all_our_lines(
    reply: Reply, outcome: Outcome
) -> None:
    assert classify("OR30", reply, ("C7-A-1", "C7-A-2")) == outcome


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "Order is closed", "status": 400}, ("HTTP_400", "Order is closed")),
        ({"errors": [{"code": "ORDER_NOT_FOUND", "message": "Gone"}]}, ("ORDER_NOT_FOUND", "Gone")),
        (
            {"code": "INVALID", "message": "Bad", "errors": [{"field": "f", "message": "too long"}]},
            ("INVALID", "Bad; too long"),
        ),
        ({"message": "Failed: ORDER_INVALID_STATE"}, ("ORDER_INVALID_STATE", "Failed: ORDER_INVALID_STATE")),
        ({"code": "no code <b>"}, ("HTTP_400", "")),
        (["unexpected"], ("HTTP_400", "")),
    ],
)
def test_every_shape_of_error_body_gives_a_code_and_words(body: object, told: tuple[str, str]) -> None:
    assert refusal(answered(400, body)) == told


def test_words_lose_what_may_be_personal_and_keep_what_names_the_fault() -> None:
    said = (
        "Order status must be 'SHIPPING' but is 'SHIPPED' for 'Anna Kowal' <anna@example.org>, +33 1 23 45 67"
    )
    assert told_words(said) == "Order status must be 'SHIPPING' but is 'SHIPPED' for '…' <…>, …"
    assert len(told_words("x" * 500)) == 200


MADE = {"id": "X1", "order_id": "C7-A", "status": "SHIPPING"}


@pytest.mark.parametrize(
    ("operation", "reply", "outcome"),
    [
        ("ST01", answered(201, {"shipment_success": [MADE]}), Confirmed((("shipment_id", "X1"),))),
        (
            "ST01",
            answered(
                201, {"shipment_errors": [{"order_id": "C7-A", "message": "Shipment quantity is invalid."}]}
            ),
            Refused("ITEM_REFUSED", "Shipment quantity is invalid."),
        ),
        ("ST01", answered(201, {"shipment_success": [{**MADE, "order_id": "other"}]}), None),
        ("ST01", answered(201, {}), None),
        ("ST01", answered(201, HTML), None),
        ("ST01", answered(404, HTML), Refused("HTTP_404", "")),
        ("ST01", answered(500), Unknown("answered with status 500")),
        ("ST24", answered(201, {"shipment_success": [{"id": "X1"}]}), Unknown("answered with status 201")),
        ("ST23", answered(200, {"shipment_success": [{"id": "X1"}]}), Confirmed((("shipment_id", "X1"),))),
        (
            "ST24",
            answered(200, {"shipment_errors": [{"id": "X1", "message": "No."}]}),
            Refused("ITEM_REFUSED", "No."),
        ),
        ("ST24", answered(200, {"shipment_errors": [{"id": "X2", "message": "No."}]}), None),
        # Mirakl's own example of ST06 names its lists so
        ("ST06", answered(200, {"deletion_success": [{"id": "X1"}]}), Confirmed((("shipment_id", "X1"),))),
        (
            "ST06",
            answered(200, {"deletion_errors": [{"id": "X1", "message": "No."}]}),
            Refused("ITEM_REFUSED", "No."),
        ),
    ],
)
def test_a_shipment_is_judged_by_its_own_item_inside_a_success(
    operation: Any, reply: Reply, outcome: Outcome | None
) -> None:
    found = classify(operation, reply, ("C7-A" if operation == "ST01" else "X1",))

    assert found == outcome if outcome is not None else isinstance(found, Unknown)
