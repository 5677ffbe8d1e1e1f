"""Shopify's own Admin schema, from the npm package that publishes it, and what it takes to be a subset of it."""

import gzip
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ast_from_value,
    build_client_schema,
    is_specified_directive,
    print_ast,
)

API_VERSION = "2026-10"
DATA = (
    Path(__file__).parents[3]
    / "node_modules"
    / "@shopify"
    / "dev-mcp"
    / "dist"
    / "data"
    / f"admin_{API_VERSION}.json.gz"
)


@lru_cache(maxsize=1)
def _loaded() -> GraphQLSchema:
    with gzip.open(DATA) as file:
        document = json.load(file)
    introspection = document.get("data", document)
    return build_client_schema(introspection, assume_valid=True)


def official_schema() -> GraphQLSchema:
    """The platform's schema; skips the test when the package is not installed."""
    if not DATA.exists():
        pytest.skip("Shopify's schema is not installed: run `npm ci --ignore-scripts` in the project folder.")
    return _loaded()


def differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> list[str]:
    """Everything in which `ours` is not a faithful part of `theirs`, as sentences; empty means it is one."""
    return list(_differences(ours, theirs))


def _differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> Iterator[str]:
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        other = theirs.type_map.get(name)
        if other is None:
            yield f"{name} is not a type of the platform"
            continue
        if type(other).__name__ != type(kind).__name__:
            yield f"{name} is a {type(other).__name__} on the platform"
            continue
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(other, GraphQLObjectType | GraphQLInterfaceType)
            yield from _fields(name, kind, other)
            known = {item.name for item in other.interfaces}
            yield from (
                f"{name} does not implement {item.name}" for item in kind.interfaces if item.name not in known
            )
        elif isinstance(kind, GraphQLInputObjectType):
            assert isinstance(other, GraphQLInputObjectType)
            yield from _inputs(name, kind, other)
        elif isinstance(kind, GraphQLEnumType):
            assert isinstance(other, GraphQLEnumType)
            yield from (f"{name} has no value {value}" for value in kind.values if value not in other.values)
        elif isinstance(kind, GraphQLUnionType):
            assert isinstance(other, GraphQLUnionType)
            members = {item.name for item in other.types}
            yield from (f"{item.name} is not in {name}" for item in kind.types if item.name not in members)
    yield from _directives(ours, theirs)


def _fields(
    name: str,
    kind: GraphQLObjectType | GraphQLInterfaceType,
    other: GraphQLObjectType | GraphQLInterfaceType,
) -> Iterator[str]:
    for field, ours in kind.fields.items():
        theirs = other.fields.get(field)
        if theirs is None:
            yield f"{name}.{field} does not exist"
            continue
        if str(ours.type) != str(theirs.type):
            yield f"{name}.{field} is {theirs.type}, not {ours.type}"
        for argument, mine in ours.args.items():
            known = theirs.args.get(argument)
            if known is None:
                yield f"{name}.{field} takes no {argument}"
                continue
            if str(mine.type) != str(known.type):
                yield f"{name}.{field}({argument}) is {known.type}, not {mine.type}"
            if _default(mine) != _default(known):
                yield f"{name}.{field}({argument}) defaults to {_default(known)}, not {_default(mine)}"
        for argument, known in theirs.args.items():
            if str(known.type).endswith("!") and argument not in ours.args and _default(known) == "nothing":
                yield f"{name}.{field} needs {argument}"


def _inputs(name: str, kind: GraphQLInputObjectType, other: GraphQLInputObjectType) -> Iterator[str]:
    if kind.is_one_of != other.is_one_of:
        yield f"{name} differs in @oneOf"
    for field, ours in kind.fields.items():
        theirs = other.fields.get(field)
        if theirs is None:
            yield f"{name}.{field} does not exist"
            continue
        if str(ours.type) != str(theirs.type):
            yield f"{name}.{field} is {theirs.type}, not {ours.type}"
        if _default(ours) != _default(theirs):
            yield f"{name}.{field} defaults to {_default(theirs)}, not {_default(ours)}"
    for field, theirs in other.fields.items():
        if str(theirs.type).endswith("!") and field not in kind.fields and _default(theirs) == "nothing":
            yield f"{name} needs {field}"


def _default(argument: GraphQLArgument | GraphQLInputField) -> str:
    """The default value as it would be written in SDL, `nothing` when there is none."""
    given = argument.default
    if given is None:
        return "nothing"
    literal = given.literal if given.literal is not None else ast_from_value(given.value, argument.type)
    return "nothing" if literal is None else print_ast(literal)


def _directives(ours: GraphQLSchema, theirs: GraphQLSchema) -> Iterator[str]:
    for directive in ours.directives:
        if is_specified_directive(directive):
            continue
        other = theirs.get_directive(directive.name)
        if other is None:
            yield f"@{directive.name} does not exist"
            continue
        if not {item.value for item in directive.locations} <= {item.value for item in other.locations}:
            yield f"@{directive.name} is allowed elsewhere"
        for argument, mine in directive.args.items():
            known = other.args.get(argument)
            if known is None or str(known.type) != str(mine.type):
                yield f"@{directive.name} takes no such {argument}"
