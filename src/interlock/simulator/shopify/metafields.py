"""Metafields: app-owned namespaces, compare digests, and the unique `id` type (reference 5.5)."""

import hashlib
from typing import Any, TypeAlias

from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import App, AppData, Draft, Metafield, MetafieldDefinition, Order, Shop

Owner: TypeAlias = Order | Draft | AppData


def namespace_of(given: str | None, app: App | None) -> str:
    """`$app` and nothing mean the calling app's own namespace, `$app:x` a part of it."""
    own = f"app--{app.number}" if app is not None else "custom"
    if given is None or given == "$app":
        return own
    if given.startswith("$app:"):
        return f"{own}--{given[5:]}"
    return given


def digest(metafield: Metafield) -> str:
    return hashlib.sha256(f"{metafield.number}:{metafield.type}:{metafield.value}".encode()).hexdigest()


def define(act: Act, given: dict[str, Any]) -> MetafieldDefinition:
    """metafieldDefinitionCreate. Raises Refused with code TAKEN when it exists."""
    namespace = namespace_of(given.get("namespace"), act.actor.app)
    place = (given["ownerType"], namespace, given["key"])
    if place in act.shop.definitions:
        raise Refused(
            f"Key is in use for {given['ownerType'].title()} metafields on the '{namespace}' namespace.",
            ("definition", "key"),
            "TAKEN",
        )
    made = MetafieldDefinition(
        act.number(), namespace, given["key"], given["type"], given["name"], given["ownerType"]
    )
    act.shop.definitions[place] = made
    return made


def owner_type(owner: Owner) -> str:
    match owner:
        case Order():
            return "ORDER"
        case Draft():
            return "DRAFTORDER"
        case AppData():
            return "APPINSTALLATION"


def put(act: Act, owner: Owner, given: dict[str, Any], field: tuple[str, ...]) -> Metafield:
    """Write one metafield. Raises Refused: unknown type, value taken, digest stale."""
    namespace = namespace_of(given.get("namespace"), act.actor.app)
    key, value = given["key"], given["value"]
    kind = owner_type(owner)
    definition = act.shop.definitions.get((kind, namespace, key))
    existing = owner.metafields.get((namespace, key))
    type_name = (
        given.get("type")
        or (definition.type if definition else None)
        or (existing.type if existing else None)
    )
    if type_name is None:
        raise Refused("Type can't be blank", field, "BLANK")
    if definition is not None and definition.type != type_name:
        raise Refused(
            f"Type must be consistent with the definition's type: '{definition.type}'.", field, "INVALID_TYPE"
        )
    if type_name == "id" and definition is None:
        raise Refused("Type 'id' requires a metafield definition.", field, "INVALID_TYPE")
    if "compareDigest" in given:
        current = digest(existing) if existing else None
        if given["compareDigest"] != current:
            raise Refused(
                "The resource has been updated since it was loaded. Try again with an updated compareDigest value.",
                field,
                "STALE_OBJECT",
            )
    if type_name == "id" and isinstance(owner, Order):
        taken_by = act.shop.unique_values.get((namespace, key, value))
        if taken_by is not None and taken_by is not owner:
            raise Refused("Value has already been taken", field, "TAKEN")
        if existing is not None:
            act.shop.unique_values.pop((namespace, key, existing.value), None)
        act.shop.unique_values[(namespace, key, value)] = owner
        act.shop.unique_set_at[(namespace, key, value)] = act.world.clock.now()
    if existing is None:
        existing = Metafield(act.number(), namespace, key, type_name, value, act.now, act.now, kind)
        owner.metafields[(namespace, key)] = existing
    else:
        existing.value = value
        existing.updated_at = act.now
    if isinstance(owner, Order):
        act.touch(owner)
        if type_name == "id":
            act.effect("marker_set", owner.gid, namespace=namespace, key=key, value=value)
    elif isinstance(owner, Draft):
        act.touch_draft(owner)
    return existing


def delete(act: Act, owner: Owner, namespace: str, key: str) -> bool:
    """Whether there was one."""
    gone = owner.metafields.pop((namespace, key), None)
    if gone is None:
        return False
    if isinstance(owner, Order):
        act.shop.unique_values.pop((namespace, key, gone.value), None)
        act.touch(owner)
        if gone.type == "id":
            act.effect("marker_set", owner.gid, namespace=namespace, key=key, value=None)
    return True


def forget(shop: Shop, order: Order) -> None:
    """Give back the unique values of an order that was refused after all, or deleted."""
    for place, owner in list(shop.unique_values.items()):
        if owner is order:
            del shop.unique_values[place]


def unique_values_of(shop: Shop, order: Order) -> str | None:
    """The value of the order's first id metafield, None without one."""
    return next((field.value for field in order.metafields.values() if field.type == "id"), None)


def by_custom_id(act_shop: Shop, namespace: str, key: str, value: str) -> Order | None:
    return act_shop.unique_values.get((namespace, key, value))
