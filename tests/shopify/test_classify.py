"""What answers mean: refusals change nothing, unclear ends stay unclear, words carry no personal data."""

from typing import Any

import pytest

from interlock.orders.outcomes import Refused, Unavailable, Unknown
from interlock.shopify.classify import (
    CallFailed,
    http_failure,
    message_class,
    search_warnings,
    seconds,
    top_level_failure,
    user_errors,
    words_of,
)

COST = {
    "cost": {
        "requestedQueryCost": 131,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 31, "restoreRate": 50.0},
    }
}


def error(code: str, message: str = "No.", path: list[str] | None = None) -> dict[str, Any]:
    return {"message": message, "path": path, "extensions": {"code": code}}


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_no_failure(status: int) -> None:
    assert http_failure(status, None) is None


@pytest.mark.parametrize("status", [301, 401, 402, 423, 429])
def test_statuses_given_before_anything_runs_are_unavailable(status: int) -> None:
    assert isinstance(http_failure(status, None), Unavailable)


def test_a_limit_says_how_long_to_wait() -> None:
    assert http_failure(429, "2.5") == Unavailable("too many requests (HTTP 429)", 2.5)
    assert http_failure(429, "soon") == Unavailable("too many requests (HTTP 429)", None)
    assert seconds("-1") is None
    assert seconds("nan") is None


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_request_the_shop_does_not_take_is_refused(status: int) -> None:
    assert isinstance(http_failure(status, None), Refused)


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504, 520])
def test_every_other_status_is_unknown(status: int) -> None:
    assert isinstance(http_failure(status, None), Unknown)


def test_a_throttled_call_waits_until_the_bucket_holds_it() -> None:
    assert top_level_failure([error("THROTTLED", "Throttled")], None, COST) == Unavailable(
        "the shop's cost limit is reached (THROTTLED)", 2.0
    )


@pytest.mark.parametrize(
    "code", ["ACCESS_DENIED", "MAX_COST_EXCEEDED", "BAD_REQUEST", "RESOURCE_NOT_FOUND", "undefinedField"]
)
def test_codes_given_before_execution_are_refusals(code: str) -> None:
    found = top_level_failure([error(code, path=["orderCreate"])], {"orderCreate": None}, {})
    assert isinstance(found, Refused)
    assert found.code == code


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT", "SOMETHING_NEW", ""])
def test_codes_that_prove_nothing_are_unknown(code: str) -> None:
    assert isinstance(top_level_failure([error(code)], {"orderCreate": None}, {}), Unknown)


def test_a_denied_field_below_a_lost_result_is_unknown_because_the_mutation_may_have_run() -> None:
    denied = error("ACCESS_DENIED", path=["orderCreate", "order", "customer"])
    assert isinstance(top_level_failure([denied], {"orderCreate": None}, {}), Unknown)


def test_errors_beside_a_result_leave_the_decision_to_the_result() -> None:
    denied = error("ACCESS_DENIED", path=["orderCreate", "order", "customer"])
    assert top_level_failure([denied], {"orderCreate": {"order": {"id": "1"}}}, {}) is None


def test_one_of_two_mutations_that_ran_makes_the_whole_unknown() -> None:
    data: dict[str, Any] = {"metafieldsSet": {"userErrors": []}, "tagsAdd": None}
    assert isinstance(top_level_failure([error("RESOURCE_NOT_FOUND")], data, {}), Unknown)


def test_errors_that_are_text_or_nonsense_are_unknown() -> None:
    assert isinstance(top_level_failure("[API] something", None, None), Unknown)
    assert isinstance(top_level_failure([1, None], None, None), Unknown)
    assert isinstance(top_level_failure(7, None, None), Unknown)


def test_a_creation_limit_is_no_refusal() -> None:
    found = user_errors([(None, "Too many attempts. Please try again later.")])
    assert isinstance(found, Unavailable)
    assert found.retry_after is not None


def test_the_platforms_code_comes_first_and_messages_without_one_get_a_class() -> None:
    assert user_errors([("INVENTORY_CLAIM_FAILED", "Unable to claim.")]) == Refused(
        "INVENTORY_CLAIM_FAILED", "Unable to claim."
    )
    assert user_errors([(None, "This order has been paid")]) == Refused(
        "ALREADY_COMPLETED", "This order has been paid"
    )
    already = user_errors([("INVALID", "Cannot cancel an order that has already been canceled")])
    assert isinstance(already, Refused)
    assert already.code == "ALREADY_CANCELLED"
    assert user_errors([(None, "Something else.")]) == Refused("USER_ERROR", "Something else.")
    assert user_errors([]) is None


def test_a_draft_without_stock_is_told_apart() -> None:
    assert message_class("Lamp is not available in the requested quantity") == "INVENTORY_CLAIM_FAILED"


def test_words_leave_out_personal_data_and_are_short() -> None:
    said = words_of(
        "Zip is not valid for Jane Doe, 12 Elm Street (jane@example.org, +1 416 555 0199) " + "x" * 400,
        ("Jane", "Doe", "12 Elm Street"),
    )
    for private in ("Jane", "Doe", "Elm", "example.org", "555"):
        assert private not in said
    assert len(said) <= 240


def test_ignored_search_filters_are_found() -> None:
    extensions = {
        "search": [{"query": "x", "warnings": [{"field": "tagg", "message": "?", "code": "invalid_field"}]}]
    }
    assert search_warnings(extensions) == ["tagg (invalid_field)"]
    assert search_warnings({"search": [{"query": "x"}]}) == []
    assert search_warnings(None) == []


def test_a_failed_call_says_what_it_means() -> None:
    assert "Nothing was changed" in str(CallFailed("Hold", Refused("X", "No.")))
    assert "may be asked again in 2 s" in str(CallFailed("Hold", Unavailable("busy", 2.0)))
    assert "read back" in str(CallFailed("Hold", Unknown("time-out")))
