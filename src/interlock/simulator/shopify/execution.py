"""The GraphQL engine: our schema with resolvers on it, documents parsed and validated once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from interlock.simulator.shopify.asking import Asking
from interlock.simulator.shopify.costs import actual_cost, requested_cost
from interlock.simulator.shopify.money import amount_text
from interlock.simulator.shopify.mutations import MUTATIONS
from interlock.simulator.shopify.queries import CONNECTION, FIELDS, TYPE_OF
from interlock.simulator.shopify.refusals import TopLevelRefusal

MAX_QUERY_COST = 1000


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """schema.graphql with resolvers and scalar rules attached. Raises AssertionError if one has no field."""
    text = files("interlock.simulator.shopify").joinpath("schema.graphql").read_text(encoding="utf-8")
    built = build_schema(text)
    for name, resolvers in {**FIELDS, "Mutation": MUTATIONS}.items():
        kind = built.type_map[name]
        assert isinstance(kind, GraphQLObjectType), name
        for field, resolver in resolvers.items():
            if field in kind.fields:
                kind.fields[field].resolve = resolver
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            for field, resolver in CONNECTION.items():
                kind.fields[field].resolve = resolver
        if isinstance(kind, GraphQLInterfaceType) and kind.name in TYPE_OF:
            kind.resolve_type = TYPE_OF[kind.name]
        if isinstance(kind, GraphQLScalarType):
            _teach(kind)
    return built


def _teach(kind: GraphQLScalarType) -> None:
    """The library copies these functions from attributes, so they are set as attributes."""
    match kind.name:
        case "DateTime":
            _set(kind, _write_time, _read_time)
        case "Decimal" | "Money":
            _set(kind, amount_text, _read_decimal)
        case "UnsignedInt64":
            _set(kind, str, None)
        case _:
            return


def _set(kind: GraphQLScalarType, write: Callable[[Any], str], read: Callable[[Any], Any] | None) -> None:
    rules: dict[str, Callable[..., Any]] = {"serialize": write, "coerce_output_value": write}
    if read is not None:
        reader = read

        def literal(node: Any, _variables: Any = None) -> Any:
            return reader(node.value)

        rules |= {"parse_value": reader, "parse_literal": literal}
        rules |= {"coerce_input_value": reader, "coerce_input_literal": literal}
    for name, rule in rules.items():
        setattr(kind, name, rule)


def _write_time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_time(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as bad:
        raise GraphQLError(f"DateTime '{value}' is invalid") from bad
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read_decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as bad:
        raise GraphQLError(f"invalid decimal '{value}'") from bad


@dataclass(frozen=True)
class Prepared:
    """A document that was parsed and validated; `errors` are those of its text."""

    document: DocumentNode | None
    errors: tuple[dict[str, Any], ...]


@lru_cache(maxsize=512)
def prepare(text: str) -> Prepared:
    try:
        document = parse(text)
    except GraphQLSyntaxError as bad:
        return Prepared(None, ({**bad.formatted, "extensions": {"code": "syntaxError"}},))
    found = validate(schema(), document)
    if found:
        return Prepared(None, tuple(_validation_error(error) for error in found))
    return Prepared(document, ())


_PATTERNS = (
    (re.compile(r"Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'"), "undefinedField"),
    (re.compile(r"Unknown argument '(?P<argument>\w+)' on field '(?P<field>[\w.]+)'"), "argumentNotAccepted"),
    (
        re.compile(r"Field '(?P<field>[\w.]+)' argument '(?P<argument>\w+)' of type '.*' is required"),
        "missingRequiredArguments",
    ),
    (re.compile(r"Unknown type '(?P<type>\w+)'"), "undefinedType"),
    (re.compile(r"Variable '\$(?P<variable>\w+)' is not defined"), "variableNotDefined"),
    (re.compile(r"Variable '\$(?P<variable>\w+)' of type"), "variableMismatch"),
    (re.compile(r"must have a selection of subfields"), "selectionMismatch"),
)


def _validation_error(error: GraphQLError) -> dict[str, Any]:
    """Validation codes as reference 4.4 lists them; what the subset leaves out reads like a field that is not there."""
    message, code, names = error.message, "invalid", {}
    for pattern, known in _PATTERNS:
        match = pattern.search(error.message)
        if match is not None:
            code, names = known, match.groupdict()
            break
    extensions: dict[str, Any] = {"code": code}
    if code == "undefinedField":
        message = f"Field '{names['field']}' doesn't exist on type '{names['type']}'"
        extensions |= {"typeName": names["type"], "fieldName": names["field"]}
        extensions["simulator"] = "Either the platform has no such field or this simulator does not model it."
    elif code == "argumentNotAccepted":
        extensions |= {"name": names["field"], "argumentName": names["argument"]}
    return {**error.formatted, "message": message, "extensions": extensions}


@lru_cache(maxsize=1024)
def operation_name(text: str, wanted: str | None) -> str | None:
    """Root fields of the operation joined with `+`, or None when the document cannot be read."""
    prepared = prepare(text)
    if prepared.document is None:
        return None
    operation = _operation(prepared.document, wanted)
    if operation is None:
        return None
    return "+".join(
        node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)
    )


@lru_cache(maxsize=1024)
def asked_of_the_root(text: str, wanted: str | None) -> tuple[str, ...]:
    """What a query asks of its root objects: the names of their fields, without those that fragments add. Empty for a
    mutation, and when the document cannot be read."""
    document = prepare(text).document
    operation = None if document is None else _operation(document, wanted)
    if operation is None or operation.operation.value != "query":
        return ()
    roots = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    asked = [
        node for root in roots if root.selection_set is not None for node in root.selection_set.selections
    ]
    return tuple(dict.fromkeys(node.name.value for node in asked if isinstance(node, FieldNode)))


@lru_cache(maxsize=1024)
def _cost(text: str, wanted: str | None, sizes: tuple[tuple[str, int], ...]) -> int:
    """Requested cost of a valid document; only whole-number variables (page sizes) can change it."""
    document = prepare(text).document
    assert document is not None
    operation = _operation(document, wanted)
    assert operation is not None
    fragments = {
        item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
    }
    return requested_cost(schema(), operation, fragments, dict(sizes))


def _operation(document: DocumentNode, wanted: str | None) -> OperationDefinitionNode | None:
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    if wanted:
        return next(
            (item for item in operations if item.name is not None and item.name.value == wanted), None
        )
    return operations[0] if len(operations) == 1 else None


def answer(ask: Asking, text: str, wanted: str | None) -> dict[str, Any]:
    """The response document of one request: data, errors, and the cost and search extensions."""
    prepared = prepare(text)
    if prepared.document is None:
        return {"errors": list(prepared.errors)}
    operation = _operation(prepared.document, wanted)
    if operation is None:
        return {
            "errors": [{"message": "An operation name is required", "extensions": {"code": "BAD_REQUEST"}}]
        }
    built = schema()
    requested = _cost(text, wanted, tuple((k, v) for k, v in ask.variables.items() if isinstance(v, int)))
    bucket = ask.world.bucket(ask.shop, ask.app)
    now = ask.world.clock.now()
    bucket.refill(now)
    if requested > MAX_QUERY_COST:
        return _refused(
            f"Query cost is {requested}, which exceeds the single query max cost limit ({MAX_QUERY_COST}).",
            {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": MAX_QUERY_COST},
            {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": bucket.status()},
        )
    if not bucket.take(requested, now):
        return _refused(
            "Throttled",
            {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
            {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": bucket.status()},
        )
    result = execute_sync(
        built, prepared.document, context_value=ask, variable_values=ask.variables, operation_name=wanted
    )
    mutations = len(operation.selection_set.selections) if operation.operation.value == "mutation" else 0
    actual = actual_cost(result.data, mutations, requested)
    bucket.give_back(requested - actual)
    extensions: dict[str, Any] = {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": bucket.status(),
        }
    }
    if ask.search:
        extensions["search"] = ask.search
    document: dict[str, Any] = {}
    if result.data is not None or not result.errors:
        document["data"] = result.data
    if result.errors:
        document["errors"] = [_error(error) for error in result.errors]
        if any("path" in item for item in document["errors"]):
            document.setdefault("data", result.data)
    document["extensions"] = extensions
    return document


def _refused(message: str, extensions: dict[str, Any], cost: dict[str, Any]) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": extensions}], "extensions": {"cost": cost}}


def _error(error: GraphQLError) -> dict[str, Any]:
    """A top-level error. A programming error of the simulator itself is raised, never dressed up as an answer."""
    original = error.original_error
    if isinstance(original, TopLevelRefusal):
        return {**error.formatted, "extensions": original.extensions}
    if original is not None and not isinstance(original, GraphQLError):
        raise original
    if error.path is None:
        formatted = error.formatted
        problems = [{"path": [], "explanation": error.message}]
        return {**formatted, "extensions": {"code": "INVALID_VARIABLE", "problems": problems}}
    return {**error.formatted, "extensions": {"code": "INVALID_FIELD_ARGUMENTS"}}
