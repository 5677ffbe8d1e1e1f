"""`interlock label …`: may a label be printed, and having it printed although the label check says no."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, NoReturn, TypeVar

import typer

from interlock.cli.installation import Installation, opened
from interlock.cli.orders import OfConnection
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say
from interlock.clock import SystemIdentifiers
from interlock.console import wording
from interlock.engine.labels import LabelCheck, LabelRefused, label_check, named
from interlock.holds.overriding import lapsed
from interlock.holds.store import waiting_overrides
from interlock.service import HttpClients
from interlock.storage.database import InlineStore
from interlock.storage.installation import open_installation
from interlock.wiring import StoredConnections

commands = typer.Typer(no_args_is_help=True, help="The label check: check, override.")

Answer = TypeVar("Answer")
NumberOfOrder = Annotated[str, typer.Argument(help="Any number of the order that the label check takes.")]


@commands.command("check")
def check(number: NumberOfOrder, connection: OfConnection = "", as_json: AsJson = False) -> None:
    """Say whether the label of an order or fulfillment order may be printed, and why not; no override is used up."""
    with opened() as installation:
        try:
            checked = asyncio.run(_asked(installation, lambda labels: labels.look(number, connection)))
        except LabelRefused as refused:
            _refuse(refused)
        row, label, now = checked.row, checked.label, installation.clock.now()
        kept = installation.tx(lambda c: waiting_overrides(c, row.order_id))
        waiting = tuple((one, lapsed(one, label, now)) for one in kept)
        if as_json:
            age = None if checked.as_of is None else max((now - checked.as_of).total_seconds(), 0.0)
            print_json(
                {
                    "print": label.yes,
                    "reason": label.reason,
                    "who_can_change_it": label.who,
                    "order": {**named(row), "fulfillment_order": row.parcel or None},
                    "as_of": checked.as_of,
                    "age_seconds": age,
                    "source": checked.source,
                    "overrides": [{**asdict(one), "lapsed": over} for one, over in waiting],
                }
            )
        else:
            say(f"{'Yes' if label.yes else 'No'}: {label.reason}")
            seen = f", seen {wording.span(now - checked.as_of)} ago" if checked.as_of else ""
            say(f"{row.shopify_name or row.mirakl_order_id} ({row.mirakl_order_id}){seen}, {checked.source}.")
            if label.who:
                say(f"Who can change it: {label.who}.")
            for one, over in waiting:
                of = one.fulfillment_order_id
                if over:
                    say(f"The override of {of} by {one.who} does not count any more. {over}")
                else:
                    say(f"{one.who} has the next check of {of} say yes, once: {one.why}")
        if not label.yes:
            raise typer.Exit(int(Exit.NOT_WELL))


async def _asked(installation: Installation, ask: Callable[[LabelCheck], Awaitable[Answer]]) -> Answer:
    """What the check answers, with Shopify read now where what is stored is too old. Raises LabelRefused."""
    settings, store = installation.settings, InlineStore(installation.database)
    identifiers, now = SystemIdentifiers(), installation.clock.now()
    http = HttpClients(installation.clock, settings.allow_loopback_http)
    connections = StoredConnections(
        store,
        installation.clock,
        installation.keyring,
        installation.tx(
            lambda c: open_installation(c, installation.keyring, identifiers.new_id(), now)
        ).address_key,
        http.for_origin,
        loopback_http=settings.allow_loopback_http,
    )
    labels = label_check(
        store,
        installation.clock,
        identifiers,
        installation.queue,
        installation.keyring,
        connections,
        "command line",
    )
    try:
        return await ask(labels)
    finally:
        await http.close()


def _refuse(refused: LabelRefused) -> NoReturn:
    code = Exit.NOT_FOUND if refused.code in ("unknown_order", "unknown_connection") else Exit.REFUSED
    candidates = "; ".join(", ".join(one.values()) for one in refused.candidates)
    end(code, f"{refused} {candidates}".strip())


@commands.command("override")
def override(
    number: NumberOfOrder,
    fulfillment_order: Annotated[
        str, typer.Option("--fulfillment-order", help="Its id; needed where several are open.")
    ] = "",
    connection: OfConnection = "",
    why: Annotated[str, typer.Option("--why", help="The reason, kept and shown.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Have the next label check of one fulfillment order say yes, once, while its reason is the same and for an hour."""
    with opened() as installation:
        try:
            row, kept = asyncio.run(
                _asked(
                    installation,
                    lambda labels: labels.override(
                        number, fulfillment_order, who, why, "command line", connection
                    ),
                )
            )
        except LabelRefused as refused:
            _refuse(refused)
        if as_json:
            print_json({"order": row.mirakl_order_id, "override": kept})
            return
        say(
            f"The next label check of {kept.fulfillment_order_id} says yes, once, while this is its reason and for an hour: "
            f"{kept.against}"
        )
