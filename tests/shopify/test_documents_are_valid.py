"""Every GraphQL document is valid against the simulator's schema and, where it is at hand, against Shopify's own."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, specified_rules, validate
from graphql.validation import NoUnusedFragmentsRule

import interlock
from tests.contract.shopify.official import official_schema

PACKAGE = Path(interlock.__file__).parent
QUERIES = PACKAGE / "shopify" / "queries"
OPERATIONS = sorted(path.name for path in QUERIES.glob("*.graphql") if path.name != "fragments.graphql")
RULES = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]


def problems(schema: GraphQLSchema, name: str) -> list[str]:
    text = (QUERIES / name).read_text(encoding="utf-8") + (QUERIES / "fragments.graphql").read_text(
        encoding="utf-8"
    )
    return [error.message for error in validate(schema, parse(text), RULES)]


@pytest.fixture(scope="module")
def simulated() -> GraphQLSchema:
    return build_schema((PACKAGE / "simulator" / "shopify" / "schema.graphql").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    return official_schema()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_document_is_valid_in_the_simulator(simulated: GraphQLSchema, name: str) -> None:
    assert problems(simulated, name) == []


@pytest.mark.contract
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_document_is_valid_in_the_official_schema(official: GraphQLSchema, name: str) -> None:
    assert problems(official, name) == []


def test_an_unknown_field_would_be_noticed(simulated: GraphQLSchema) -> None:
    assert validate(simulated, parse("{ shop { colour } }"), RULES)


def test_one_operation_stands_in_each_file() -> None:
    for name in OPERATIONS:
        document = parse((QUERIES / name).read_text(encoding="utf-8"))
        assert [definition.kind for definition in document.definitions] == ["operation_definition"], name
