"""The edit desk as console, command line and API use it: preview an edit, ask for it, and follow it step by step."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from interlock.clock import Identifiers
from interlock.console.order import OrderPage
from interlock.desk.requests import RequestRefused, Wish, both_sides, resolved
from interlock.desk.store import ask_for_edit, kept_edit, waiting_edits
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.engine.store import connections, count
from interlock.orders.addresses import AddressParts, digest
from interlock.orders.codec import decode
from interlock.orders.countries import alpha2
from interlock.orders.hold_words import speaks_of_the_hold
from interlock.orders.memory import DeskEdit, Memory
from interlock.orders.snapshots import Address
from interlock.orders.store import orders
from interlock.orders.texts import keep_text
from interlock.orders.view import View
from interlock.preview import Preview, check_edit, preview
from interlock.storage.encryption import Keyring
from interlock.storage.installation import address_key

LONGEST_WORDS = 500
LONGEST_PART = 200
ADDRESS_FIELDS = (*(field.name for field in fields(AddressParts)), "phone")
ADDRESS_LABELS = (
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("company", "Company"),
    ("line1", "Street"),
    ("line2", "Street, second line"),
    ("postcode", "Postcode"),
    ("city", "City"),
    ("province", "Province"),
    ("country_code", "Country, as its ISO code"),
    ("phone", "Telephone"),
)
"""Fields of an address, as a form names them."""
_MARKETPLACE_CALLS = ("CancelQuantities", "CancelMiraklOrder", "RefundLines")


@dataclass(frozen=True, slots=True)
class Asked:
    """An edit as a person or program asks for it. `address` are the parts of AddressParts and `phone`, None where the
    address is not edited; it is personal data and leaves this process encrypted only."""

    wish: Wish
    address: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What asking needs besides a transaction."""

    queue: Queue
    keyring: Keyring
    identifiers: Identifiers


def preview_of(c: Connection, desk: Desk, order_id: int, asked: Asked, now: datetime) -> Preview:
    """What the edit would do, on the order as it was last seen. Raises RequestRefused, naming the field."""
    view, _ = _seen(c, order_id)
    wish, _ = _with_address(c, desk, asked)
    return preview(view, resolved(view, wish, "preview", "preview", "", now), now)


def ask(
    c: Connection, desk: Desk, order_id: int, asked: Asked, version: str, who: str, why: str, now: datetime
) -> tuple[DeskEdit, Preview]:
    """Ask for an edit: it is checked, kept, and the order is looked at. Raises RequestRefused, naming the field; then
    nothing is kept."""
    who, why = who.strip(), why.strip()
    for field, value in (("who", who), ("why", why)):
        if not value or len(value) > LONGEST_WORDS:
            raise RequestRefused(
                "name_missing", field, "An edit needs the name of who asks for it, and a reason."
            )
    if not version.strip():
        raise RequestRefused("version_missing", "version", "An edit needs the version its preview showed.")
    # One at a time: of two people who ask at once, the second finds the first one's request.
    c.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update())
    view, live = _seen(c, order_id)
    if not live:
        raise RequestRefused("not_live", "order", "The connection is not live, so nothing would be sent.")
    waiting = waiting_edits(c, order_id)
    if waiting:
        raise RequestRefused(
            "edit_running",
            "order",
            f"{waiting[0].who} has just asked for an edit of this order; wait until it is through.",
        )
    wish, written = _with_address(c, desk, asked)
    edit_id = desk.identifiers.new_id()
    edit = resolved(view, wish, edit_id, who, why, now, version.strip())
    if written:
        text_id = desk.identifiers.new_id()
        edit = replace(edit, text_id=text_id)
    found = check_edit(view, edit, now)
    if written:
        keep_text(c, edit.text_id, order_id, "address", desk.keyring.encrypt(written.encode()), now)
    ask_for_edit(c, order_id, edit)
    hint(c, desk.queue, order_id, "edits", now)
    count(c, "edit_asked", edit.kind)
    return edit, found


def may_be_edited(page: OrderPage) -> bool:
    """Whether the desk could do anything for this order at all: both sides are there and none is closed."""
    if page.seen is None or not page.live:
        return False
    try:
        both_sides(replace(page.seen, memory=page.memory))
    except RequestRefused:
        return False
    return True


def count_refused(c: Connection, what: Literal["preview", "edit"], code: str) -> None:
    """Count a preview or an edit that was refused."""
    count(c, f"{what}_refused", code)


def _seen(c: Connection, order_id: int) -> tuple[View, bool]:
    row = c.execute(
        select(orders.c.last_view, orders.c.memory, connections.c.live)
        .join(connections, connections.c.id == orders.c.connection_id)
        .where(orders.c.id == order_id)
    ).one_or_none()
    if row is None or row.last_view is None:
        raise RequestRefused("no_order_yet", "order", "The order has not been looked at yet.")
    return replace(decode(View, row.last_view), memory=decode(Memory, row.memory)), row.live


def _with_address(c: Connection, desk: Desk, asked: Asked) -> tuple[Wish, str]:
    """The wish with the address as a digest, and the address as the text that is kept."""
    if asked.address is None:
        return asked.wish, ""
    parts = address_parts(asked.address)
    found: Address = digest(
        AddressParts(**{name: parts[name] for name in ADDRESS_FIELDS[:-1]}), address_key(c, desk.keyring)
    )
    if not found.digest:
        raise RequestRefused("address_incomplete", "address", "The address is empty.")
    return replace(asked.wish, address=found), json.dumps(
        {k: v for k, v in parts.items() if v}, sort_keys=True
    )


def address_parts(given: Mapping[str, str]) -> dict[str, str]:
    """Every part of a given address, empty where it was not given. Raises RequestRefused for what is no address; the
    sentence never repeats what was given."""
    for name, value in given.items():
        if name not in ADDRESS_FIELDS:
            known = ", ".join(ADDRESS_FIELDS)
            raise RequestRefused(
                "unknown_field", f"address.{name[:40]}", f"An address has the fields {known}."
            )
        if not isinstance(value, str) or len(value) > LONGEST_PART or not value.isprintable():
            raise RequestRefused(
                "invalid_address",
                f"address.{name}",
                f"A part of an address is a text of up to {LONGEST_PART} characters.",
            )
    parts = {name: given.get(name, "").strip() for name in ADDRESS_FIELDS}
    country = alpha2(parts["country_code"])
    if not country:
        raise RequestRefused(
            "invalid_address",
            "address.country_code",
            "The country is written as its ISO code, such as DE or FR.",
        )
    return {**parts, "country_code": country}


# -- how it goes on ----------------------------------------------------------------------------------------


StepState = Literal["done", "now", "waits", "trouble", "open", "not needed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an edit. `at` is when it was done, `sentence` what it waits for or what went wrong."""

    name: str
    state: StepState
    at: datetime | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """An edit and its steps. `state` is `waiting` until a worker takes it up, `running`, `needs a person`, or how it
    ended: `done`, `refused`, `given up`, `overtaken`."""

    id: str
    kind: str
    who: str
    why: str
    at: datetime
    state: str
    sentence: str
    steps: tuple[Step, ...]

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "refused", "given up", "overtaken")


def progress_of(c: Connection, page: OrderPage, edit_id: str) -> Progress | None:
    """How far an edit of this order is; None when there is no such edit."""
    known = next((edit for edit in page.memory.desk_edits if edit.id == edit_id), None)
    if known is None:
        kept = kept_edit(c, page.id, edit_id)
        return None if kept is None else progress(page, kept)
    return progress(page, known)


def all_progress(c: Connection, page: OrderPage) -> tuple[Progress, ...]:
    """Every edit this order remembers, the newest first, with those nobody has taken up yet at the top."""
    known = {edit.id for edit in page.memory.desk_edits}
    waiting = [edit for edit in waiting_edits(c, page.id) if edit.id not in known]
    return tuple(progress(page, edit) for edit in (*reversed(waiting), *reversed(page.memory.desk_edits)))


def progress(page: OrderPage, edit: DeskEdit) -> Progress:
    """The steps of an edit, from what the order remembers and its last plan."""
    stuck = [one for one in page.cases if one.reason == "desk_edit_stuck" and one.subject == edit.id]
    over = bool(edit.ended) and edit.ended != "done"
    steps: tuple[Step, ...] = (
        _hold_step(edit, bool(stuck), over),
        _shopify_step(edit, stuck[0].sentence if stuck else "", over),
        *_marketplace_steps(page, edit, over),
    )
    trouble = any(step.state == "trouble" for step in steps)
    if edit.ended:
        state: str = edit.ended
    elif edit.taken_at is None:
        state = "waiting"
    else:
        state = "needs a person" if trouble else "running"
    now = next((step for step in steps if step.state in ("trouble", "now", "waits")), None)
    sentence = edit.because or (f"{now.name}. {now.sentence}".strip() if now is not None else "")
    return Progress(edit.id, edit.kind, edit.who, edit.why, edit.at, state, sentence, steps)


def _hold_step(edit: DeskEdit, stuck: bool, over: bool) -> Step:
    name = "Parcel held"
    if edit.held_at or edit.shown_at:
        return Step(name, "done", edit.held_at or edit.shown_at)
    if over:
        return Step(name, "not needed")
    if edit.taken_at is None:
        return Step(name, "waits", sentence="A worker takes it up within seconds.")
    return Step(name, "trouble" if stuck else "now")


def _shopify_step(edit: DeskEdit, stuck: str, over: bool) -> Step:
    name = "Changed in Shopify"
    if edit.shown_at:
        return Step(name, "done", edit.shown_at)
    if over:
        return Step(name, "not needed", sentence=edit.because)
    if stuck:
        return Step(name, "trouble", sentence=stuck)
    return Step(name, "now" if edit.held_at else "open")


def _marketplace_steps(page: OrderPage, edit: DeskEdit, over: bool) -> tuple[Step, ...]:
    names = "Marketplace told", "Both sides agree", "Parcel released"
    if over:
        return tuple(Step(name, "not needed") for name in names)
    if edit.shown_at is None:
        return tuple(Step(name, "open") for name in names)
    calls = [
        row for row in page.operations if row.kind in _MARKETPLACE_CALLS and row.planned_at >= edit.shown_at
    ]
    agreed = edit.agreed_at is not None
    confirmed = next((row for row in calls if row.state == "CONFIRMED"), None)
    if confirmed is not None:
        told = Step(names[0], "done", confirmed.ended_at)
    elif agreed:
        told = Step(names[0], "not needed", sentence="Nothing had to be told.")
    else:
        told = _not_told(page, names[0], bool(calls))
    agree = (
        Step(names[1], "done", edit.agreed_at) if agreed else Step(names[1], "waits" if confirmed else "open")
    )
    if edit.kind == "cancel":
        return told, agree, Step(names[2], "not needed", sentence="No parcel leaves.")
    if not agreed:
        return told, agree, Step(names[2], "open")
    if page.memory.released_at is not None:
        return told, agree, Step(names[2], "done", page.memory.released_at)
    held = next((said for said in page.because if speaks_of_the_hold(said)), "")
    return told, agree, Step(names[2], "waits", sentence=held)


def _not_told(page: OrderPage, name: str, called: bool) -> Step:
    asking = [one for one in page.cases if one.kind != "incident" and one.options]
    if asking:
        return Step(name, "trouble", sentence=f"Case {asking[0].id}: {asking[0].title}.")
    if called:
        return Step(name, "now")
    why = next((said for said in page.because if not speaks_of_the_hold(said)), "")
    return Step(name, "waits", sentence=why)
