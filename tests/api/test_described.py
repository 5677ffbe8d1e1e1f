"""Every route of `/v1`, asked with data that fits its description and with data that does not: no answer is a failure of
ours, every answer is one the description names, and wrong data is refused."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from interlock.access.store import Scope, make_key
from interlock.api.application import ApiParts, create_api
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import Numbered, Stopped, Wakes, edited_up, keep, shipped_with, sku_unknown

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 8


class Hurrying(Stopped):
    """Stands still for what is decided and hurries for what is counted: no key has ever made too many calls."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def monotonic(self) -> float:
        self.passed += 1.0
        return self.passed


@pytest.fixture
def described(database: Database, store: InlineStore, keyring: Keyring, connection: ConnectionRow) -> Any:
    """The description of the API over a database with some orders and cases, and headers with a key for all of it."""
    with database.begin() as c:
        for view in (edited_up(), shipped_with("Express Bike"), sku_unknown()):
            keep(c, connection, view)
        _, token = make_key(c, "everything", [scope.value for scope in Scope], "Ada Admin", NOW)
    app = create_api(ApiParts(store, Hurrying(), Numbered(), Wakes(), keyring))
    return schemathesis.openapi.from_asgi("/openapi.json", app), {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_data_makes_the_api_fail_or_answer_what_it_does_not_describe(
    described: Any, mode: GenerationMode
) -> None:
    schema, headers = described
    statuses: dict[str, set[int]] = {}

    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
            continue
        answered = statuses.setdefault(operation.label, set())

        _ask(operation, mode, headers, answered)

    assert len(statuses) >= 10
    assert all(statuses.values())
    seen = set().union(*statuses.values())
    assert (200 in seen) if mode is GenerationMode.POSITIVE else ({422} <= seen)
    assert 429 not in seen


def _ask(operation: Any, mode: GenerationMode, headers: dict[str, str], answered: set[int]) -> None:
    @seed(20260302)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=headers)

    ask()


def _can_be_wrong(operation: Any) -> bool:
    """Whether anything of a request to it is described that wrong data could break."""
    return bool(operation.body or operation.query or operation.path_parameters)


def test_every_route_says_what_it_needs_and_what_it_may_answer(described: Any) -> None:
    raw = described[0].raw_schema

    for path, methods in raw["paths"].items():
        for method, operation in methods.items():
            named = f"{method.upper()} {path}"
            assert operation["summary"], named
            assert operation["description"], named
            assert operation["operationId"], named
            assert operation["security"] == [{"API key": []}], named
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), named
            if method in ("post", "put", "delete"):
                assert "422" in operation["responses"], named
