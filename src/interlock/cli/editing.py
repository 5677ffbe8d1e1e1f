"""`interlock order preview` and `interlock order edit`: ask what an edit would do, and have it done."""

import asyncio
import json
from typing import Annotated, Literal, NoReturn

import typer

from interlock.cli.installation import Installation, opened
from interlock.cli.orders import Number, OfConnection, found_order
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.clock import SystemIdentifiers
from interlock.console import editing, wording
from interlock.console.editing import Asked, Progress
from interlock.console.order import OrderPage, order_page
from interlock.desk.requests import RequestRefused, Wish, quantity_of
from interlock.orders.reasons import Option
from interlock.preview import Figures, Preview

WAIT_SECONDS = 120
LOOK_EVERY_SECONDS = 1.0

SetTo = Annotated[
    list[str] | None,
    typer.Option("--set", help="LINE=UNITS: the units the line shall have; may be repeated."),
]
Remove = Annotated[
    list[str] | None, typer.Option("--remove", help="LINE: take the line out; may be repeated.")
]
Add = Annotated[
    list[str] | None,
    typer.Option("--add", help="SKU=UNITS: add an item, by SKU or variant id; may be repeated."),
]
Replace = Annotated[
    list[str] | None, typer.Option("--replace", help="LINE=SKU: put another item in the line's place.")
]
Cancel = Annotated[bool, typer.Option("--cancel", help="Cancel the whole order.")]
Undo = Annotated[bool, typer.Option("--undo", help="Put lines and address back to what was agreed.")]
AddressFile = Annotated[
    typer.FileText | None,
    typer.Option(
        "--address-file",
        help="JSON file with the new address, - for standard input: first_name, last_name, company, line1, line2, city, "
        "postcode, province, country_code, phone.",
    ),
]
Currency = Annotated[str, typer.Option("--currency", help="Refuse unless the order is in this currency.")]


def preview_order(
    number: Number,
    set_to: SetTo = None,
    remove: Remove = None,
    add: Add = None,
    replace: Replace = None,
    cancel: Cancel = False,
    undo: Undo = False,
    address_file: AddressFile = None,
    currency: Currency = "",
    connection: OfConnection = "",
    as_json: AsJson = False,
) -> None:
    """Say what an edit would do: units, calls, cases, money, and the parcel. Nothing is sent and nothing is changed.

    A line is named by its Mirakl line id, its Shopify line id or its SKU.
    """
    with opened() as installation:
        try:
            asked = _asked(set_to, remove, add, replace, cancel, undo, address_file, currency, "")
            page, now = found_order(installation, number, connection), installation.clock.now()
            found = installation.tx(lambda c: editing.preview_of(c, _desk(installation), page.id, asked, now))
        except RequestRefused as refused:
            _refuse(installation, "preview", refused)
        if as_json:
            print_json(found)
            return
        _tell(found)


def edit_order(
    number: Number,
    set_to: SetTo = None,
    remove: Remove = None,
    add: Add = None,
    replace: Replace = None,
    cancel: Cancel = False,
    undo: Undo = False,
    address_file: AddressFile = None,
    currency: Currency = "",
    connection: OfConnection = "",
    version: Annotated[str, typer.Option("--version", help="The version the preview showed.")] = "",
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the edit.")] = "",
    who: Who = "",
    decision: Annotated[
        str, typer.Option("--decision", help="Your answer, where the marketplace cannot take the edit.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until the edit is through or needs a person.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have an edit done: the parcel is held, Shopify is edited, the marketplace is told, and the parcel released.

    Nobody is notified. Give the version of a preview: if the order has changed since, nothing is done.
    """
    with opened() as installation:
        try:
            asked = _asked(set_to, remove, add, replace, cancel, undo, address_file, currency, decision)
            page, now = found_order(installation, number, connection), installation.clock.now()
            edit, found = installation.tx(
                lambda c: editing.ask(c, _desk(installation), page.id, asked, version, who, why, now)
            )
        except RequestRefused as refused:
            _refuse(installation, "edit", refused)
        if wait:
            followed = _follow(installation, page, edit.id, as_json)
            if as_json:
                print_json({"edit": followed})
            if followed.state != "done":
                raise typer.Exit(int(Exit.NOT_WELL))
            return
        if as_json:
            print_json({"edit": edit.id, "order": page.mirakl_order_id, "at": now, "preview": found})
            return
        say(f"Asked for. Edit {edit.id} of {page.mirakl_order_id} is made within seconds if a worker runs.")


def _desk(installation: Installation) -> editing.Desk:
    return editing.Desk(installation.queue, installation.keyring, SystemIdentifiers())


def _refuse(
    installation: Installation, what: Literal["preview", "edit"], refused: RequestRefused
) -> NoReturn:
    installation.tx(lambda c: editing.count_refused(c, what, refused.code))
    end(Exit.REFUSED, f"{refused.field}: {refused}")


def _asked(
    set_to: list[str] | None,
    remove: list[str] | None,
    add: list[str] | None,
    replace: list[str] | None,
    cancel: bool,
    undo: bool,
    address_file: typer.FileText | None,
    currency: str,
    decision: str,
) -> Asked:
    """The options as a request. Raises RequestRefused, naming the option."""
    quantities = [_pair(text, f"--set {text}") for text in set_to or ()]
    wish = Wish(
        quantities=(
            *((name, quantity_of(units, f"--set {name}")) for name, units in quantities),
            *((name, 0) for name in remove or ()),
        ),
        added=tuple(
            (name, quantity_of(units, f"--add {name}"))
            for name, units in (_pair(text, f"--add {text}") for text in add or ())
        ),
        replaced=tuple(_pair(text, f"--replace {text}") for text in replace or ()),
        cancel=cancel,
        undo=undo,
        currency=currency,
        decision=_option(decision),
    )
    return Asked(wish, None if address_file is None else _address(address_file))


def _pair(text: str, field: str) -> tuple[str, str]:
    name, found, value = text.rpartition("=")
    if not found or not name.strip() or not value.strip():
        raise RequestRefused("invalid_option", field[:80], "Write NAME=VALUE, such as MUG-BLUE=1.")
    return name.strip(), value.strip()


def _option(decision: str) -> Option | None:
    if not decision:
        return None
    if decision not in set(Option):
        raise RequestRefused("option_not_legal", "decision", f"There is no answer {decision[:40]!r}.")
    return Option(decision)


def _address(file: typer.FileText) -> dict[str, str]:
    wrong = RequestRefused("invalid_address", "address", "The address file is not a JSON object of texts.")
    try:
        given = json.loads(file.read(20_000))
    except ValueError:
        raise wrong from None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise wrong
    return given


# -- telling -----------------------------------------------------------------------------------------------


def _tell(found: Preview) -> None:
    say(f"Preview of {found.order}, version {found.version}. Nothing was changed.")
    table(
        "\nLines",
        ("sku", "title", "shopify now", "then", "agreed now", "then", "shipped"),
        (
            (n.sku, n.title, n.shopify_now, n.shopify_then, n.agreed_now, n.agreed_then, n.shipped or "")
            for n in found.lines
        ),
    )
    for call in found.calls:
        say(f"\n{call.operation}: {call.sentence}")
        _figures(call.lines, found.currency)
    for case in found.cases:
        say(f"\n{case.kind.capitalize()} for {case.owner}: {case.sentence}")
        _figures(case.lines, found.currency)
    if found.refund_total or found.commission_total:
        say(
            f"\nThe customer gets {wording.money(found.refund_total, found.currency)} back; "
            f"{wording.money(found.commission_total, found.currency)} of commission is expected back."
        )
    for sentence in (*found.waits, *found.notes):
        say(f"· {sentence}")
    for title in found.closes:
        say(f"· It would close: {title}.")
    say(f"Parcel: {found.parcel_sentence}")
    if found.refused:
        say(f"The desk would not do it: {found.refused}")
        if found.choices:
            say(f"It would with --decision and one of: {', '.join(found.choices)}.")


def _figures(lines: tuple[Figures, ...], currency: str) -> None:
    if lines:
        table(
            "",
            ("sku", "units", "price", "shipping", "taxes", "fees", "customer", "commission"),
            (
                (
                    one.sku,
                    one.quantity,
                    wording.money(one.amount, currency),
                    wording.money(one.shipping_amount, currency),
                    ", ".join(
                        f"{tax.code} {wording.money(tax.amount, currency)}"
                        for tax in (*one.taxes, *one.shipping_taxes)
                    ),
                    ", ".join(f"{fee.code} {wording.money(fee.amount, currency)}" for fee in one.fees),
                    wording.money(one.customer, currency),
                    wording.money(one.commission, currency),
                )
                for one in lines
            ),
        )


def _follow(installation: Installation, order: OrderPage, edit_id: str, quiet: bool) -> Progress:
    """Look until the edit is over or needs a person, and say each step once."""
    said: set[tuple[str, str]] = set()
    clock = installation.clock
    until = clock.monotonic() + WAIT_SECONDS
    while True:
        page = installation.tx(lambda c: order_page(c, order.id, clock.now())) or order
        found = _progress(installation, page, edit_id)
        for step in found.steps:
            if (step.name, step.state) not in said and step.state in ("done", "trouble") and not quiet:
                say(f"{step.name}: {step.state}. {step.sentence}".strip())
            said.add((step.name, step.state))
        if found.is_over or found.state == "needs a person" or clock.monotonic() > until:
            if not quiet:
                say(f"{found.state.capitalize()}. {found.sentence}".strip())
            return found
        asyncio.run(clock.sleep(LOOK_EVERY_SECONDS))


def _progress(installation: Installation, page: OrderPage, edit_id: str) -> Progress:
    found = installation.tx(lambda c: editing.progress_of(c, page, edit_id))
    if found is None:
        end(Exit.NOT_FOUND, f"There is no edit {edit_id} of this order.")
    return found
