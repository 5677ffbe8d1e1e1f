"""The label check: may this label be printed? From our own database where what was seen is young, else by asking Shopify now."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from interlock.cases.store import volunteer
from interlock.clock import Clock, Identifiers
from interlock.decide import decide
from interlock.engine.gateways import Connections
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.engine.run import EngineParts, view_now
from interlock.engine.store import all_connections, count
from interlock.holds.overriding import Override, lapsed
from interlock.holds.store import (
    PARCEL_GID,
    LabelRow,
    end_override,
    find_labels,
    keep_override,
    label_of,
    waiting_override,
)
from interlock.orders.label import BY_ITSELF, Label
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import remember_fulfillment_orders, tell
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring

Source = Literal["stored", "read now", "override", "none"]

READ_SECONDS = 8.0
LONGEST_NUMBER = 100
LONGEST_WORDS = 300


class LabelRefused(ValueError):
    """A label check or an override is not possible as asked. `code` is for programs, `field` names what was wrong,
    `candidates` what could be meant."""

    def __init__(
        self, code: str, sentence: str, field: str = "order", candidates: tuple[dict[str, str], ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.field = field
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class Checked:
    """What a label check found. `source` is `stored`, `read now`, `override`, or `none` where nothing could be seen;
    `as_of` is when the Shopify order was seen that it rests on."""

    row: LabelRow
    label: Label
    as_of: datetime | None
    source: Source


def _checked_number(text: str) -> str:
    """The number as it is looked up. Raises LabelRefused."""
    number = text.strip()
    if not number or len(number) > LONGEST_NUMBER or not number.isprintable():
        raise LabelRefused(
            "malformed_number",
            f"The number has to have 1 to {LONGEST_NUMBER} characters that can be shown. Give a Shopify order's id, gid or "
            "name, a fulfillment order's id or gid, or a Mirakl order id.",
        )
    kind, _, digits = number.removeprefix("gid://shopify/").partition("/")
    if number.startswith("gid:") and not (kind in ("Order", "FulfillmentOrder") and digits.isdecimal()):
        raise LabelRefused(
            "malformed_number",
            "This gid is neither gid://shopify/Order/… nor gid://shopify/FulfillmentOrder/… with digits at its end.",
        )
    return number


def _checked_words(who: str, why: str) -> None:
    """Raise LabelRefused unless both say something that can be kept."""
    for field, value in (("who", who), ("why", why)):
        if not value.strip() or len(value) > LONGEST_WORDS or not value.isprintable():
            raise LabelRefused(
                "words_missing",
                f"An override needs {field}, 1 to {LONGEST_WORDS} characters that can be shown. Nothing was changed.",
                field,
            )


def _names(c: Connection, own: frozenset[int] | None) -> dict[int, str]:
    """The names of the connections by their row numbers; with `own` of those alone."""
    return {row.id: row.name for row in all_connections(c) if own is None or row.id in own}


def _only_one(number: str, rows: list[LabelRow], names: Mapping[int, str]) -> LabelRow:
    """The one order meant; `names` are the connections' by row number, needed where there is more than one. Raises
    LabelRefused when there is none, or more than one."""
    if not rows:
        raise LabelRefused(
            "unknown_order",
            f"No marketplace order is known under {number}. This is neither a yes nor a no: an order that did not come "
            "from a marketplace is none of ours, nor is one of which somebody said that it is a second delivery or has nothing "
            "to do with a marketplace order; one that came a moment ago may not be linked yet.",
        )
    if len(rows) > 1:
        found = tuple({**named(row), "connection": names[row.connection_id]} for row in rows)
        several = len({one["connection"] for one in found}) > 1
        by = ", or name its connection as well" if several else ""
        raise LabelRefused(
            "ambiguous_order",
            f"{number} may mean {len(rows)} orders. Ask with the gid of the Shopify order or fulfillment order{by}.",
            candidates=found,
        )
    return rows[0]


def named(row: LabelRow) -> dict[str, str]:
    """The numbers of an order."""
    return {"mirakl": row.mirakl_order_id, "shopify": row.shopify_order_id, "name": row.shopify_name}


def label_check(
    store: Store,
    clock: Clock,
    identifiers: Identifiers,
    queue: Queue,
    keyring: Keyring,
    connections: Connections | None,
    worker: str,
    recording: Store | None = None,
) -> "LabelCheck":
    """The check of a process that reads the platforms through `connections`, None where it cannot. What somebody changes by
    it is written to `recording`, where that is another store than what is read goes to."""
    engine = None
    if connections is not None:
        engine = EngineParts(
            store=store,
            clock=clock,
            identifiers=identifiers,
            queue=queue,
            connections=connections,
            keyring=keyring,
            worker=worker,
        )
    return LabelCheck(recording or store, clock, queue, engine)


class LabelCheck:
    """Answers label printers. One of these serves one process. `engine` is None where the process has no way to the
    platforms: then what is too old is a no."""

    def __init__(self, store: Store, clock: Clock, queue: Queue, engine: EngineParts | None) -> None:
        self._store = store
        self._clock = clock
        self._queue = queue
        self._engine = engine

    async def check(self, number: str, connection: str = "", own: frozenset[int] | None = None) -> Checked:
        """May the label of this order or fulfillment order be printed? `connection` is the name of the connection it is
        of, where its number is of several; with `own`, only the connections with these row numbers are there. From the
        row if what it says is young and nothing
        happened since, else from Shopify now; every failure is a no. Raises LabelRefused."""
        checked = await self.look(number, connection, own)
        if not checked.label.yes and checked.row.is_overridden:
            return await self._overridden(checked)
        return checked

    async def look(self, number: str, connection: str = "", own: frozenset[int] | None = None) -> Checked:
        """What a check would find, for somebody who prints nothing: no override is used up. Raises LabelRefused."""
        return await self._answered(await self._find(number, connection, own))

    async def look_at(self, order_id: int) -> Checked:
        """The same for the order with this row number. Raises LabelRefused."""
        return await self._answered(await self._row(order_id))

    async def override_at(
        self, order_id: int, parcel: str, who: str, why: str, via: str
    ) -> tuple[LabelRow, Override]:
        """As `override`, for the order with this row number."""
        _checked_words(who, why)
        return await self._override(await self._row(order_id), parcel, who, why, via)

    async def override(
        self,
        number: str,
        parcel: str,
        who: str,
        why: str,
        via: str,
        connection: str = "",
        own: frozenset[int] | None = None,
    ) -> tuple[LabelRow, Override]:
        """Have the next check of one fulfillment order say yes, once, while its no has the reason it has now and for no
        longer than `OVERRIDE_COUNTS`. `parcel` may be empty where only one is left, `via` is what the person used (a key,
        the command line), `connection` and `own` as for the check. Raises LabelRefused; nothing is changed then."""
        _checked_words(who, why)
        return await self._override(await self._find(number, connection, own), parcel, who, why, via)

    async def _override(
        self, row: LabelRow, parcel: str, who: str, why: str, via: str
    ) -> tuple[LabelRow, Override]:
        checked = await self._answered(row)
        chosen = _chosen(row, parcel.strip(), checked.label.parcels)
        if checked.label.yes:
            raise LabelRefused(
                "nothing_to_override", "The label may be printed as it is. Nothing was changed.", "order"
            )
        now = self._clock.now()

        def keep(c: Connection) -> Override:
            waiting = waiting_override(c, row.order_id, chosen)
            if waiting is not None and lapsed(waiting, checked.label, now):
                end_override(c, waiting, now)
            elif waiting is not None:
                raise LabelRefused(
                    "already_overridden",
                    f"{waiting.who} has overridden the check of this parcel already; the next check says yes. Nothing "
                    "was changed.",
                    "order",
                )
            kept = keep_override(c, row.order_id, chosen, checked.label.reason, who.strip(), why.strip(), now)
            subject = f"{chosen} {kept.id}"
            volunteer(
                c,
                row.order_id,
                Reason.LABEL_OVERRIDDEN,
                subject,
                Option.PRINT_ANYWAY,
                kept.who,
                kept.why,
                now,
            )
            told = f"Has a label printed ({via}) although the check says no: {checked.label.reason} Because: {kept.why}"
            tell(c, row.order_id, now, kept.who, [told])
            count(c, "label_overridden")
            hint(c, self._queue, row.order_id, "holds", now)
            return kept

        return row, await self._store.tx(keep)

    # -- finding ---------------------------------------------------------------------------------------

    async def _row(self, order_id: int) -> LabelRow:
        row = await self._store.tx(lambda c: label_of(c, order_id))
        if row is None:
            raise LabelRefused("unknown_order", f"There is no order with the row number {order_id}.")
        return row

    async def _find(self, text: str, connection: str, own: frozenset[int] | None) -> LabelRow:
        number = _checked_number(text)
        names = await self._store.tx(lambda c: _names(c, own)) if connection or own is not None else {}
        if connection and connection not in names.values():
            raise LabelRefused(
                "unknown_connection",
                f"There is no connection {connection[:80]}. This is neither a yes nor a no.",
                "connection",
            )

        def of_it(rows: list[LabelRow]) -> list[LabelRow]:
            if own is not None:
                rows = [row for row in rows if row.connection_id in own]
            return [row for row in rows if not connection or names[row.connection_id] == connection]

        rows = of_it(await self._store.tx(lambda c: find_labels(c, number)))
        if not rows and self._engine is not None and number.startswith(PARCEL_GID):
            # Their ids are not stable: a split or a move makes new ones that no look has seen yet.
            owner = await self._owner(self._engine, number)
            if owner:
                found = await self._store.tx(lambda c: find_labels(c, owner))
                rows = of_it([replace(row, parcel=number, is_hinted=True) for row in found])
        if len(rows) > 1:
            names = names or await self._store.tx(lambda c: _names(c, own))
        return _only_one(number, rows, names)

    async def _owner(self, engine: EngineParts, parcel: str) -> str:
        """The Shopify order a fulfillment order belongs to, asked of each shop; empty when none shows it."""
        asked: list[str] = []
        for platforms in await engine.connections.all():
            if platforms.shopify_account in asked:
                continue
            asked.append(platforms.shopify_account)
            try:
                async with asyncio.timeout(READ_SECONDS):
                    owner = await platforms.shopify.fulfillment_order_owner(parcel)
            except (ReadFailed, TimeoutError):
                continue
            if owner is not None:
                return owner
        return ""

    # -- answering -------------------------------------------------------------------------------------

    async def _answered(self, row: LabelRow) -> Checked:
        if row.is_kin:
            return Checked(row, _NOT_THE_LIVE_ONE, row.seen_at, "stored")
        if not row.shopify_order_id:
            return Checked(row, _NOT_THERE, None, "none")
        young = row.until is not None and self._clock.now() < row.until and not row.is_hinted
        if young and row.yes is not None:
            label = Label(row.yes, row.reason, row.who, row.parcels)
            return Checked(row, _of_parcel(row, label), row.seen_at, "stored")
        return await self._read_now(row)

    async def _read_now(self, row: LabelRow) -> Checked:
        if self._engine is None:
            why = "the last look at Shopify is too old, and this process cannot look itself."
            return _cannot_confirm(row, why)
        try:
            async with asyncio.timeout(READ_SECONDS):
                view = await view_now(self._engine, row.order_id)
        except TimeoutError:
            return _cannot_confirm(row, "Shopify could not be read.")
        if view.shopify_unreadable:
            return _cannot_confirm(row, "Shopify could not be read.")
        label, shopify = decide(view).label, view.shopify
        if label is None or shopify is None:
            return _cannot_confirm(row, "Shopify does not show the order at the moment.")
        await self._note(row, label, tuple(fo.id for fo in shopify.fulfillment_orders))
        return Checked(row, _of_parcel(row, label), shopify.observed_at, "read now")

    async def _note(self, row: LabelRow, label: Label, parcels: tuple[str, ...]) -> None:
        """What the check saw and the order does not know yet is a hint to it: its hold comes on or off because of it."""
        if label.yes is row.yes and set(label.parcels) == set(row.parcels):
            return
        now = self._clock.now()

        def write(c: Connection) -> None:
            remember_fulfillment_orders(c, row.order_id, parcels)
            hint(c, self._queue, row.order_id, "holds", now)

        await self._store.tx(write)

    async def _overridden(self, checked: Checked) -> Checked:
        """A yes where an override of exactly this parcel still counts, which is used up by that; else the no, with why it
        does not count any more."""
        row, label, now = checked.row, checked.label, self._clock.now()
        parcel = row.parcel or (label.parcels[0] if len(label.parcels) == 1 else "")
        if not parcel:
            return checked

        def use(c: Connection) -> Checked:
            waiting = waiting_override(c, row.order_id, parcel)
            if waiting is None:
                return checked
            if over := lapsed(waiting, label, now):
                said = f"{label.reason} The override of {waiting.who} does not count any more. {over}"
                return replace(checked, label=replace(label, reason=said))
            end_override(c, waiting, now)
            told = f"The label check said yes once, because {waiting.who} overrode it."
            tell(c, row.order_id, now, "Interlock", [told])
            said = f"{waiting.who} overrode the check: {waiting.why} Without that: {label.reason}"
            return Checked(row, Label(True, said, "", label.parcels), checked.as_of, "override")

        return await self._store.tx(use)


_NOT_THE_LIVE_ONE = Label(
    False,
    "Another Shopify order stands for this sale, or it is not settled yet which one does.",
    "CX",
    (),
)
_NOT_THERE = Label(False, "The order has no Shopify order yet.", BY_ITSELF, ())


def _of_parcel(row: LabelRow, label: Label) -> Label:
    """The answer for the fulfillment order that was named, if one was."""
    if not row.parcel or row.parcel in label.parcels:
        return label
    reason = (
        "Nothing is left to ship of this fulfillment order, or it belongs to another Shopify order of this sale than the one "
        "that stands for it now."
    )
    return Label(False, reason, "operations", label.parcels)


def _cannot_confirm(row: LabelRow, why: str) -> Checked:
    label = Label(False, f"Cannot confirm: {why}", BY_ITSELF, row.parcels)
    return Checked(row, label, row.seen_at, "none")


def _chosen(row: LabelRow, given: str, parcels: tuple[str, ...]) -> str:
    """The fulfillment order an override is for. Raises LabelRefused."""
    if given.isdecimal():
        given = PARCEL_GID + given
    wanted = given or row.parcel
    if wanted and wanted not in parcels:
        raise LabelRefused(
            "parcel_not_open",
            "Nothing is left to ship of this fulfillment order, or it belongs to another order. Nothing was changed.",
            "fulfillment_order",
        )
    if wanted:
        return wanted
    if len(parcels) != 1:
        raise LabelRefused(
            "ambiguous_parcel" if parcels else "parcel_not_open",
            f"The order has {len(parcels)} fulfillment orders with something left to ship; name one. Nothing was changed."
            if parcels
            else "Nothing of the order is left to ship. Nothing was changed.",
            "fulfillment_order",
            tuple({"fulfillment_order": parcel} for parcel in parcels),
        )
    return parcels[0]
