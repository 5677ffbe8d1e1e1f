"""What a document costs before it is executed, by the recorded formula of reference 4.2."""

from bisect import bisect_left
from math import ceil
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type import GraphQLInterfaceType, GraphQLObjectType

_SIZES = (1, 5, 10, 20, 50, 100, 200, 250)
_FACTORS = (1, 3, 4, 5, 7, 9, 10, 11)
_FREE = ("MoneyBag", "MoneyV2", "PageInfo")
_MUTATION = 10
_COUNT = 10
_UNSIZED_LIST = {"trackingInfo": 40, "transactions": 35}


def size_factor(items: int) -> int:
    """f(N) of reference 4.2; between two recorded sizes it grows in a straight line, rounded up."""
    place = min(bisect_left(_SIZES, items), len(_SIZES) - 1)
    if place == 0 or items >= _SIZES[place]:
        return _FACTORS[place]
    low, high = _SIZES[place - 1], _SIZES[place]
    return ceil(_FACTORS[place - 1] + (_FACTORS[place] - _FACTORS[place - 1]) * (items - low) / (high - low))


def requested_cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: dict[str, Any],
) -> int:
    """Points of one operation with these variables."""
    root = schema.get_root_type(operation.operation)
    assert root is not None
    counter = _Counter(schema, fragments, variables)
    if operation.operation.value == "mutation":
        total = 0
        for node in counter.fields(operation.selection_set, root):
            payload = get_named_type(root.fields[node.name.value].type)
            total += _MUTATION + counter.payload(node, payload)
        return total
    return counter.selection(operation.selection_set, root)


class _Counter:
    def __init__(
        self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode], variables: dict[str, Any]
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.variables = variables

    def fields(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> list[FieldNode]:
        found: list[FieldNode] = []
        for node in selection.selections:
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, FragmentSpreadNode):
                found.extend(self.fields(self.fragments[node.name.value].selection_set, parent))
            elif isinstance(node, InlineFragmentNode) and node.type_condition is None:
                found.extend(self.fields(node.selection_set, parent))
        return found

    def selection(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> int:
        own = sum(self.field(node, parent) for node in self.fields(selection, parent))
        branches = [0]
        for node in selection.selections:
            if isinstance(node, InlineFragmentNode) and node.type_condition is not None:
                branch = self.schema.type_map[node.type_condition.name.value]
                branches.append(self.selection(node.selection_set, branch))
        return own + max(branches)

    def payload(self, node: FieldNode, payload: GraphQLNamedType) -> int:
        """First-level objects of a mutation payload are free, what they contain is not."""
        if node.selection_set is None or not isinstance(payload, GraphQLObjectType):
            return 0
        total = 0
        for child in self.fields(node.selection_set, payload):
            if child.selection_set is None or child.name.value.endswith("serErrors"):
                continue
            kind = get_named_type(payload.fields[child.name.value].type)
            total += self.selection(child.selection_set, kind)
        return total

    def field(self, node: FieldNode, parent: GraphQLNamedType) -> int:
        if node.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        name = node.name.value
        if name.startswith("__"):
            return 0
        declared = parent.fields[name]
        kind = get_named_type(declared.type)
        if kind.name in _FREE:
            return 0
        if kind.name == "Count":
            return _COUNT
        if kind.name.endswith("Connection"):
            return 2 + size_factor(self._first(node)) * self._node_cost(node.selection_set, kind)
        inner = 1 + self.selection(node.selection_set, kind)
        listed = declared.type.of_type if is_non_null_type(declared.type) else declared.type
        if is_list_type(listed) and "first" in declared.args:
            # Sized lists count as one object; left without a size some are expensive (reference 4.2).
            return inner if self._first(node) else _UNSIZED_LIST.get(name, 11 * inner)
        return inner

    def _node_cost(self, selection: SelectionSetNode, connection: GraphQLNamedType) -> int:
        cost = 1
        for child in self.fields(selection, connection):
            if child.name.value in ("nodes", "edges") and child.selection_set is not None:
                assert isinstance(connection, GraphQLObjectType)
                kind = get_named_type(connection.fields[child.name.value].type)
                if child.name.value == "edges":
                    cost = max(cost, self._node_cost_of_edges(child.selection_set, kind))
                else:
                    cost = max(cost, 1 + self.selection(child.selection_set, kind))
        return cost

    def _node_cost_of_edges(self, selection: SelectionSetNode, edge: GraphQLNamedType) -> int:
        for child in self.fields(selection, edge):
            if child.name.value == "node" and child.selection_set is not None:
                assert isinstance(edge, GraphQLObjectType)
                return 1 + self.selection(child.selection_set, get_named_type(edge.fields["node"].type))
        return 1

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, VariableNode):
                    given = self.variables.get(value.name.value)
                    return given if isinstance(given, int) else 0
        return 0


def actual_cost(data: object, mutations: int, requested: int) -> int:
    """What was really touched: one point an object, never more than was asked for."""
    if mutations:
        return min(requested, _MUTATION * mutations + _objects(data) // 4)
    return min(requested, max(1, _objects(data)))


def _objects(data: object) -> int:
    if isinstance(data, dict):
        if "amount" in data or "shopMoney" in data or "presentmentMoney" in data:
            return 0
        return 1 + sum(_objects(value) for value in data.values() if isinstance(value, dict | list))
    if isinstance(data, list):
        return sum(_objects(value) for value in data if isinstance(value, dict | list))
    return 0
