"""schema.graphql is a faithful part of the platform's own schema, and the comparison would notice if it were not."""

from importlib.resources import files

import pytest
from graphql import GraphQLSchema, build_schema

from tests.contract.shopify.official import differences, official_schema

pytestmark = pytest.mark.contract

TEXT = files("interlock.simulator.shopify").joinpath("schema.graphql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def theirs() -> GraphQLSchema:
    return official_schema()


def test_our_schema_is_a_faithful_subset_of_the_platforms_schema(theirs: GraphQLSchema) -> None:
    assert differences(build_schema(TEXT), theirs) == []


@pytest.mark.parametrize(
    ("here", "planted", "noticed"),
    [
        ("  sourceIdentifier: String\n  sourceName", "  sourceIdentity: String\n  sourceName", "does not exist"),
        ("  number: Int!", "  number: Int", "Order.number is Int!"),
        ("inventoryBehaviour: OrderCreateInputsInventoryBehavior = BYPASS",
         "inventoryBehaviour: OrderCreateInputsInventoryBehavior = DECREMENT_IGNORING_POLICY", "defaults to"),
        ("requiresShipping: Boolean = false", "requiresShipping: Boolean = true", "defaults to"),
        ("  DECREMENT_OBEYING_POLICY", "  DECREMENT_BY_POLICY", "has no value"),
        ("orderByIdentifier(identifier:", "orderByIdentifier(ident:", "takes no ident"),
        ("directive @idempotent(key: String!) on FIELD", "directive @idempotent(key: Int!) on FIELD", "@idempotent"),
        ("includeClosed: Boolean = false", "includeClosed: Boolean = true", "defaults to"),
        ("scalar UnsignedInt64", "enum UnsignedInt64 { ONE }", "is a GraphQLScalarType"),
        ("input OrderIdentifierInput @oneOf {", "input OrderIdentifierInput {", "@oneOf"),
        ("draftOrderCreate(input: DraftOrderInput!)", "draftOrderCreate", "needs input"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_noticed(theirs: GraphQLSchema, here: str, planted: str, noticed: str) -> None:
    assert here in TEXT
    found = differences(build_schema(TEXT.replace(here, planted)), theirs)
    assert any(noticed in sentence for sentence in found), found
