"""What a person asks for at the edit desk, resolved against the order as it was last seen, or refused in words."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from interlock.orders.actions import AddedLine
from interlock.orders.agreement import (
    agreed_quantities,
    beyond_return,
    link_of,
    mirakl_line_id_of,
    ordered_of,
    parts_of,
    standing_quantities,
    unlinked,
)
from interlock.orders.content import content_of
from interlock.orders.destination import moved_here, moved_there
from interlock.orders.memory import DeskEdit, DeskKind, Memory
from interlock.orders.reasons import Option
from interlock.orders.snapshots import (
    DEAD,
    GONE_OUT,
    NO_ADDRESS,
    Address,
    MiraklOrder,
    ShopifyLine,
    ShopifyOrder,
)
from interlock.orders.timeline import counted
from interlock.orders.view import View

LONGEST_NAME = 200
MOST_UNITS = 100_000
_WHOLE = re.compile(r"[0-9]{1,6}")
_VARIANT = "gid://shopify/ProductVariant/"
_BY_SKU = "sku:"


class RequestRefused(ValueError):
    """A preview or an edit cannot be done as asked; nothing was changed and nothing was sent. `field` names what
    was wrong, `code` is a stable word for programs."""

    def __init__(self, code: str, field: str, sentence: str) -> None:
        super().__init__(f"{sentence} Nothing was changed.")
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Wish:
    """One edit as it was asked for. Lines are named by Mirakl line id, Shopify line id or SKU; `quantities` are the
    units the line shall have, 0 for none; `added` are (SKU or variant id, units), `replaced` are (line, SKU or variant
    id that takes its place in the same quantity)."""

    quantities: tuple[tuple[str, int], ...] = ()
    added: tuple[tuple[str, int], ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    cancel: bool = False
    undo: bool = False
    address: Address = NO_ADDRESS
    currency: str = ""
    decision: Option | None = None

    @property
    def kind(self) -> DeskKind:
        """Which kind of edit it is. Raises RequestRefused when it is none or more than one."""
        kinds: list[DeskKind] = []
        if self.quantities or self.added or self.replaced:
            kinds.append("lines")
        if self.cancel:
            kinds.append("cancel")
        if self.undo:
            kinds.append("undo")
        if self.address.digest:
            kinds.append("address")
        if len(kinds) == 1:
            return kinds[0]
        if not kinds:
            raise RequestRefused(
                "nothing_asked", "edit", "Say what to edit: lines, the whole order, or its address."
            )
        raise RequestRefused(
            "too_much_asked", kinds[1], "One edit changes lines, or cancels, or undoes, or moves the address."
        )


def quantity_of(text: str, field: str) -> int:
    """The whole number of units a person typed. Raises RequestRefused for anything else."""
    if not _WHOLE.fullmatch(text.strip()) or int(text) > MOST_UNITS:
        raise RequestRefused(
            "invalid_quantity",
            field,
            f"{field}: {text.strip()[:40]!r} is not a whole number of units, 0 or more.",
        )
    return int(text)


def version_of(view: View) -> str:
    """What a preview is true for: the Shopify content, what was agreed, and the marketplace's state. An edit with
    another version was asked for on an order that has changed since."""
    mirakl, shopify = view.mirakl, view.shopify
    agreed = () if mirakl is None else agreed_quantities(mirakl, view.memory)
    parts = [
        "" if shopify is None else shopify.id,
        "" if shopify is None else content_of(shopify),
        "" if mirakl is None else mirakl.state,
        agreed,
    ]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


# -- whether the desk may do it at all ---------------------------------------------------------------------


def both_sides(view: View) -> tuple[MiraklOrder, ShopifyOrder]:
    """The two snapshots an edit needs. Raises RequestRefused while one is missing, or once the order is closed."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not view.memory.shopify_order_id:
        raise RequestRefused(
            "no_order_yet", "order", "There is no Shopify order for it yet, or one side has not been read."
        )
    if mirakl.state in DEAD:
        raise RequestRefused(
            "order_closed",
            "order",
            f"The marketplace has ended this order ({mirakl.state}); nothing can be edited.",
        )
    if mirakl.state in GONE_OUT:
        raise RequestRefused(
            "order_closed",
            "order",
            f"The order has been dispatched ({mirakl.state}); the marketplace takes no edit any more. Money goes "
            "back as a refund.",
        )
    if not shopify.live:
        raise RequestRefused(
            "order_closed", "order", "The Shopify order is cancelled; nothing can be edited."
        )
    if mirakl.unknown:
        raise RequestRefused(
            "order_unclear",
            "order",
            "The marketplace sent a value this version does not know, so nothing may be written to the order.",
        )
    if mirakl.fulfillment_center not in view.rules.own_fulfillment_centers:
        raise RequestRefused(
            "not_ours", "order", "The marketplace ships this order itself; it is not ours to edit."
        )
    return mirakl, shopify


def running(memory: Memory) -> DeskEdit | None:
    """The edit from our desk that Shopify does not show yet, if any."""
    return next((edit for edit in memory.desk_edits if not edit.ended and edit.shown_at is None), None)


def check(view: View, edit: DeskEdit) -> None:
    """Raise RequestRefused unless this edit may be begun on the order as this view shows it."""
    _, shopify = both_sides(view)
    other = running(view.memory)
    if other is not None and other.id != edit.id:
        raise RequestRefused(
            "edit_running",
            "order",
            f"An edit by {other.who} is under way on this order; wait until it is through.",
        )
    if edit.version != version_of(view):
        raise RequestRefused(
            "stale_version",
            "version",
            "The order has changed since the version the edit was asked for: look at a new preview first.",
        )
    if not shopify.editable:
        raise RequestRefused("not_editable", "order", "Shopify does not let our app edit this order.")
    unnamed = [new.variant_id for new in edit.added if new.variant_id.startswith(_BY_SKU)]
    if unnamed:
        raise RequestRefused(
            "unknown_variant",
            "add",
            f"{unnamed[0].removeprefix(_BY_SKU)!r} is on no line of the order; to add it, name its variant ({_VARIANT}…).",
        )
    if edit.kind == "cancel" and any(line.fulfilled_quantity for line in shopify.lines):
        raise RequestRefused(
            "already_shipped",
            "cancel",
            "A label or shipment exists for it; an order cannot be cancelled any more.",
        )


# -- what exactly is to change -----------------------------------------------------------------------------


def resolved(
    view: View, wish: Wish, edit_id: str, who: str, why: str, at: datetime, version: str = ""
) -> DeskEdit:
    """The edit this wish means on the order as this view shows it. Raises RequestRefused, naming the field."""
    kind = wish.kind
    mirakl, shopify = both_sides(view)
    _same_currency(wish, mirakl, shopify)
    edit = DeskEdit(edit_id, kind, who, why, at, version or version_of(view), decision=wish.decision)
    match kind:
        case "cancel":
            return edit
        case "address":
            if not wish.address.complete:
                raise RequestRefused(
                    "address_incomplete",
                    "address",
                    "The address needs a name, a street, a city, a country, and a postcode where the country has them.",
                )
            if wish.address.digest == shopify.address.digest:
                raise RequestRefused("changes_nothing", "address", "The order goes to this address already.")
            return replace(edit, address_digest=wish.address.digest)
        case "undo":
            return _undone(edit, mirakl, shopify, view.memory)
        case "lines":
            return _lines(edit, wish, shopify, view.memory)


def _same_currency(wish: Wish, mirakl: MiraklOrder, shopify: ShopifyOrder) -> None:
    if shopify.currency != mirakl.currency:
        raise RequestRefused(
            "currency_differs",
            "currency",
            f"The Shopify order is in {shopify.currency}, the marketplace order in {mirakl.currency}.",
        )
    if wish.currency and wish.currency != mirakl.currency:
        raise RequestRefused(
            "currency_differs", "currency", f"The order is in {mirakl.currency}, not in {wish.currency[:10]}."
        )


def _lines(edit: DeskEdit, wish: Wish, shopify: ShopifyOrder, memory: Memory) -> DeskEdit:
    wanted: dict[str, int] = {}

    def want(name: str, field: str, units_each: Iterable[tuple[str, int]]) -> None:
        for line_id, units in units_each:
            if line_id in wanted:
                raise RequestRefused(
                    "line_named_twice",
                    field,
                    f"The line {name[:80]!r} is named twice. Set, remove or replace each line once, so that it is clear how "
                    "many of its units stay.",
                )
            wanted[line_id] = units

    for number, (name, quantity) in enumerate(wish.quantities):
        field = f"set[{number}].line"
        want(name, field, _units_each(shopify, _named(name, field, shopify, memory), quantity, field, memory))
    added = [
        _addition(name, quantity, f"add[{number}].sku", shopify)
        for number, (name, quantity) in enumerate(wish.added)
    ]
    for number, (name, other) in enumerate(wish.replaced):
        field = f"replace[{number}]"
        lines = _named(name, f"{field}.line", shopify, memory)
        units = sum(shopify.to_leave(line) for line in lines)
        want(name, f"{field}.line", ((line.id, shopify.least(line)) for line in lines))
        added.append(_addition(other, units, f"{field}.sku", shopify))
    shown = {line.id: line.current_quantity for line in shopify.lines}
    changed = tuple((line_id, units) for line_id, units in wanted.items() if units != shown[line_id])
    if not changed and not added:
        raise RequestRefused("changes_nothing", "set", "The order shows these quantities already.")
    return replace(edit, quantities=changed, added=tuple(added))


def _named(name: str, field: str, shopify: ShopifyOrder, memory: Memory) -> tuple[ShopifyLine, ...]:
    """The Shopify lines a person means: one line by its id, or all lines of one Mirakl line."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RequestRefused(
            "unknown_line", field, "A line is named by its Mirakl id, its Shopify id or its SKU."
        )
    for line in shopify.lines:
        if name in (line.id, line.id.rpartition("/")[2]):
            return (line,)
    of_mirakl = tuple(line for line in shopify.lines if mirakl_line_id_of(line, memory) == name)
    if of_mirakl:
        return of_mirakl
    sold = {line.line_id for line in memory.ordered if line.sku == name and parts_of(line.line_id, memory)}
    carrying = [line for line in shopify.lines if line.sku == name or mirakl_line_id_of(line, memory) in sold]
    carrying = [line for line in carrying if line.current_quantity > 0] or carrying
    stands_for = {mirakl_line_id_of(line, memory) or line.id for line in carrying}
    if len(stands_for) > 1:
        ids = ", ".join(sorted(stands_for))
        raise RequestRefused(
            "ambiguous_line", field, f"The SKU {name!r} is on several lines; name one by its id: {ids}."
        )
    if not carrying:
        raise RequestRefused("unknown_line", field, f"The order has no line {name!r}.")
    return tuple(carrying)


def _units_each(
    shopify: ShopifyOrder, lines: tuple[ShopifyLine, ...], quantity: int, field: str, memory: Memory
) -> list[tuple[str, int]]:
    """The units of each of these lines so that together they are `quantity` units: of a whole bundle, as many of each of
    its articles as that takes."""
    by_part = _by_part(lines, memory)
    bundles = {mirakl_line_id_of(line, memory) for line in lines}
    parts = parts_of(bundles.pop(), memory) if len(bundles) == 1 else {}
    if not parts or set(by_part) != set(parts):
        return _spread(shopify, lines, quantity, field)
    return [
        unit
        for part, of_part in by_part.items()
        for unit in _spread(shopify, of_part, quantity * parts[part], field)
    ]


def _by_part(lines: Iterable[ShopifyLine], memory: Memory) -> dict[str, tuple[ShopifyLine, ...]]:
    """Lines by the article of a bundle that they are; the empty name has those that are none."""
    found: dict[str, tuple[ShopifyLine, ...]] = {}
    for line in lines:
        link = link_of(line, memory)
        part = "" if link is None else link.part
        found[part] = (*found.get(part, ()), line)
    return found


def _spread(
    shopify: ShopifyOrder, lines: tuple[ShopifyLine, ...], quantity: int, field: str
) -> list[tuple[str, int]]:
    """The units of each of these lines so that together they have `quantity`: the last lines give first, the first
    takes more."""
    if quantity < 0 or quantity > MOST_UNITS:
        raise RequestRefused("invalid_quantity", field, f"{quantity} is not a possible number of units.")
    if quantity < sum(shopify.least(line) for line in lines):
        left = sum(line.fulfilled_quantity for line in lines)
        raise RequestRefused(
            "already_shipped",
            field,
            f"{counted(left, 'unit')} of the line {'has a label or is on its' if left == 1 else 'have a label or are on their'} "
            "way already.",
        )
    units = {line.id: line.current_quantity for line in lines}
    surplus = sum(units.values()) - quantity
    for line in reversed(lines):
        given = min(max(surplus, 0), shopify.to_leave(line))
        units[line.id] -= given
        surplus -= given
    if surplus < 0:
        alive = next((line for line in lines if line.current_quantity > 0), None)
        if alive is None:
            raise RequestRefused(
                "line_removed",
                field,
                "The line was removed, and it is not known whether Shopify raises a removed line. Add the item instead.",
            )
        units[alive.id] -= surplus
    return list(units.items())


def _addition(name: str, quantity: int, field: str, shopify: ShopifyOrder) -> AddedLine:
    if not 0 < quantity <= MOST_UNITS:
        raise RequestRefused(
            "invalid_quantity", field, f"{quantity} is not a possible number of units to add."
        )
    name = name.strip()
    if name.startswith(_VARIANT) and name.removeprefix(_VARIANT).isdigit():
        return AddedLine(name, quantity, "")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RequestRefused("unknown_variant", field, "Say what to add by its SKU or its variant's id.")
    variants = {line.variant_id for line in shopify.lines if line.sku == name and line.variant_id}
    return AddedLine(variants.pop() if len(variants) == 1 else _BY_SKU + name, quantity, "")


# -- undoing -----------------------------------------------------------------------------------------------


def _undone(edit: DeskEdit, mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> DeskEdit:
    """The edit after which Shopify shows again what was agreed: units taken out come back on their own line where it
    still has some, else as an added line; what was never sold goes. Raises RequestRefused where a line cannot come back: with
    the rest undone the order would look like one with that line taken out on purpose."""
    lost = beyond_return(mirakl, shopify, memory)
    if lost:
        raise RequestRefused(
            "line_removed",
            "undo",
            f"Interlock cannot bring {', '.join(line.sku for line in lost)} back: Shopify names no variant of it any more "
            "that could be added (it was a custom line, or the product was deleted). Undo the edit in Shopify.",
        )
    quantities, added = restored(mirakl, shopify, memory)
    address = ""
    if moved_here(shopify, memory) and mirakl.address.complete and not moved_there(mirakl, memory):
        address = mirakl.address.digest
    if not quantities and not added and not address:
        hidden = moved_here(shopify, memory) and not mirakl.address.complete
        why = (
            "The marketplace does not show its address at the moment, so there is none to set it back to."
            if hidden
            else "Lines and address are as agreed: there is nothing to undo."
        )
        raise RequestRefused("nothing_to_undo", "undo", why)
    return replace(edit, quantities=quantities, added=added, address_digest=address)


def restored(
    mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory
) -> tuple[tuple[tuple[str, int], ...], tuple[AddedLine, ...]]:
    """Quantities per Shopify line, and lines to add, with which Shopify shows what was agreed. Of every line something stands,
    or its variant is known (see `beyond_return`)."""
    agreed = dict(agreed_quantities(mirakl, memory))
    standing = dict(standing_quantities(shopify, memory))
    wanted: dict[str, int] = {}
    added: list[AddedLine] = []
    for ordered in ordered_of(mirakl, memory):
        of_line = tuple(line for line in shopify.lines if mirakl_line_id_of(line, memory) == ordered.line_id)
        parts = parts_of(ordered.line_id, memory)
        # An order that replaced another may have no line at all of an article.
        none: dict[str, tuple[ShopifyLine, ...]] = dict.fromkeys(parts, ())
        by_part = none | _by_part(of_line, memory) if parts else {"": of_line}
        for part, lines in by_part.items():
            due = agreed[ordered.line_id] * parts.get(part, 1)
            come = sum(shopify.to_come(line) for line in lines) if parts else standing.get(ordered.line_id, 0)
            missing = due - come
            alive = [line for line in lines if line.current_quantity > 0]
            variant = next((line.variant_id for line in lines if line.variant_id), part)
            if missing > 0 and not alive:
                # Whether Shopify lets a removed line be raised again is not documented (reference 7.1): it is added.
                added.append(AddedLine(variant, missing, ordered.line_id))
            elif missing and alive:
                to_show = sum(line.current_quantity for line in alive) + missing
                least = sum(shopify.least(line) for line in alive)
                wanted.update(_spread(shopify, tuple(alive), max(to_show, least), "undo"))
    known = set(agreed)
    strangers = [line for line in shopify.lines if mirakl_line_id_of(line, memory) not in known]
    for line in (*unlinked(shopify, memory), *strangers):
        wanted[line.id] = shopify.least(line)
    now = {line.id: line.current_quantity for line in shopify.lines}
    return tuple((i, units) for i, units in wanted.items() if units != now[i]), tuple(added)


# -- the order as it would be ------------------------------------------------------------------------------


def as_edited(shopify: ShopifyOrder, edit: DeskEdit, at: datetime) -> ShopifyOrder:
    """The Shopify order as the edit leaves it. Lines it adds get ids of their own, `added:<n>`."""
    if edit.kind == "cancel":
        lines = tuple(replace(line, current_quantity=line.fulfilled_quantity) for line in shopify.lines)
        return replace(shopify, cancelled_at=at, lines=lines, updated_at=at, observed_at=at)
    wanted = dict(edit.quantities)
    lines = tuple(
        replace(
            line,
            current_quantity=wanted.get(line.id, line.current_quantity),
            quantity=max(line.quantity, wanted.get(line.id, 0)),
        )
        for line in shopify.lines
    )
    by_variant = {line.variant_id: line for line in shopify.lines}
    for number, new in enumerate(edit.added, start=1):
        like = by_variant.get(new.variant_id)
        lines = (*lines, _new_line(f"added:{number}", new, like, shopify))
    address = Address(edit.address_digest, True) if edit.address_digest else shopify.address
    return replace(
        shopify,
        lines=lines,
        address=address,
        total=shopify.total
        + sum(
            (after.current_quantity - before) * after.unit_price
            for after, before in _with_former(lines, shopify)
        ),
        fulfillment_orders=tuple(
            replace(
                item, remaining=left, destination=address if item.destination.digest else item.destination
            )
            for item, left in zip(shopify.fulfillment_orders, _remaining(shopify, wanted), strict=True)
        ),
        updated_at=at,
        observed_at=at,
    )


def _remaining(shopify: ShopifyOrder, wanted: dict[str, int]) -> list[tuple[tuple[str, int], ...]]:
    """What is left to ship of each fulfillment order once an edit gave lines these quantities."""
    less = {
        line.id: max(line.current_quantity - wanted[line.id], 0)
        for line in shopify.lines
        if line.id in wanted
    }
    left = []
    for item in shopify.fulfillment_orders:
        kept = []
        for line_id, units in item.remaining:
            taken = min(units, less.get(line_id, 0))
            less[line_id] = less.get(line_id, 0) - taken
            kept.append((line_id, units - taken))
        left.append(tuple(kept))
    return left


def _with_former(lines: tuple[ShopifyLine, ...], shopify: ShopifyOrder) -> list[tuple[ShopifyLine, int]]:
    before = {line.id: line.current_quantity for line in shopify.lines}
    return [(line, before.get(line.id, 0)) for line in lines]


def _new_line(line_id: str, new: AddedLine, like: ShopifyLine | None, shopify: ShopifyOrder) -> ShopifyLine:
    if like is None:
        sku = new.variant_id.removeprefix(_BY_SKU) if new.variant_id.startswith(_BY_SKU) else ""
        like = replace(shopify.lines[0], sku=sku, title="another item", variant_id=new.variant_id)
    return replace(
        like,
        id=line_id,
        quantity=new.quantity,
        current_quantity=new.quantity,
        fulfilled_quantity=0,
        mirakl_line_id=new.mirakl_line_id,
    )
