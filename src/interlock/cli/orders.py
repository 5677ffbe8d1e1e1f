"""`interlock order …`: find an order, read its story, and ask why it is where it is."""

from dataclasses import fields
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import desk, wording
from interlock.console.explain import explain
from interlock.console.lists import Asked, FilterUnknown, FilterUnreadable, choices
from interlock.console.order import OrderPage, order_page
from interlock.console.order_list import (
    SHOWN,
    OrderInList,
    connection_of_name,
    found_orders,
    latest_orders,
    orders_meant,
    orders_page,
)
from interlock.engine.store import all_connections
from interlock.orders.codec import encode

commands = typer.Typer(no_args_is_help=True, help="Orders: list, show, explain, preview, edit, link, replay.")
Number = Annotated[
    str, typer.Argument(help="Any number of the order: marketplace, Shopify, parcel or tracking.")
]
OfConnection = Annotated[
    str,
    typer.Option(
        "--connection", help="The connection of the order, where its number stands on more than one."
    ),
]


def found_order(installation: Installation, number: str, connection: str = "") -> OrderPage:
    """The page of the one order with this number, on the connection of that name or on any; otherwise the command ends."""
    now = installation.clock.now()

    def find(c: Connection) -> OrderPage | None:
        own = {row.name: row.id for row in all_connections(c)} if connection else {}
        if connection and connection not in own:
            end(
                Exit.NOT_FOUND, f"There is no connection {connection}. There are: {', '.join(own) or 'none'}."
            )
        meant = orders_meant(c, number, frozenset((own[connection],)) if connection else None)
        if len(meant) > 1:
            found = [(one.mirakl_order_id, one.connection) for one in meant]
            end(Exit.REFUSED, str(desk.NumberAmbiguous(number, found)))
        return order_page(c, meant[0].id, now) if meant else None

    page = installation.tx(find)
    if page is None:
        end(Exit.NOT_FOUND, str(desk.NoSuchOrder(number, connection)))
    return page


@commands.command("list")
def list_orders(
    search: Annotated[str, typer.Option("--search", help="Only orders that carry this number.")] = "",
    connection: Annotated[str, typer.Option("--connection", help="Only orders of this connection.")] = "",
    team: Annotated[str, typer.Option("--team", help="Only orders with an open case of this team.")] = "",
    show_: Annotated[
        str, typer.Option("--show", help="cases, urgent (with such a case) or held; else every order.")
    ] = "",
    state: Annotated[
        str, typer.Option("--state", help="Only orders in this state of the marketplace, such as SHIPPING.")
    ] = "",
    sold_from: Annotated[
        str,
        typer.Option(
            "--sold-from", help="The first day on which they were sold, such as 2026-03-01, in UTC."
        ),
    ] = "",
    sold_to: Annotated[str, typer.Option("--sold-to", help="The last such day, included.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders: those with urgent cases first, then the newest; filtered ones the newest first."""
    number = search.strip()
    own = (("show", show_), ("state", state.strip()), ("sold_from", sold_from), ("sold_to", sold_to))
    asked = Asked("/orders", connection, team, "", own)
    if show_ and show_ not in SHOWN:
        end(Exit.USAGE, f"There is no {show_!r} to show; there are: {', '.join(SHOWN)}.")
    if number and (team or any(value for _, value in own)):
        end(Exit.USAGE, "--search goes with --connection alone: a number is looked for whatever else is so.")

    def read(c: Connection) -> list[OrderInList]:
        choices(c, asked)
        if number:
            return found_orders(c, number, limit, connection_of_name(c, connection) if connection else None)
        return orders_page(c, asked, limit)[0] if asked.filtered else latest_orders(c, limit)

    with opened() as installation:
        now = installation.clock.now()
        try:
            found = installation.tx(read)
        except FilterUnknown as wrong:
            end(Exit.NOT_FOUND, str(wrong))
        except FilterUnreadable as wrong:
            end(Exit.USAGE, str(wrong))
        if as_json:
            print_json(found)
            return
        table(
            "",
            (
                "order",
                "sold (UTC)",
                "connection",
                "shopify",
                "marketplace",
                "where it stands",
                "window",
                "cases",
            ),
            (
                (
                    o.mirakl_order_id,
                    f"{o.sold_at or o.created_at:%Y-%m-%d %H:%M}{'' if o.sold_at else ' first seen'}",
                    o.connection,
                    o.shopify_name,
                    wording.mirakl_state(o.mirakl_state),
                    o.standing.sentence,
                    wording.left(o.due_at, now),
                    o.open_cases or "",
                )
                for o in found
            ),
        )


@commands.command("show")
def show(number: Number, connection: OfConnection = "", as_json: AsJson = False) -> None:
    """Show one order: its lines on three sides, its hold, its cases and its story."""
    with opened() as installation:
        page, now = found_order(installation, number, connection), installation.clock.now()
        if as_json:
            print_json(_document(page))
            return
        say(f"{page.shopify_name or page.mirakl_order_id}   {page.mirakl_order_id} on {page.connection}")
        say(
            f"{page.standing.sentence} Marketplace: {wording.mirakl_state(page.mirakl_state)}. {page.hold.sentence}"
        )
        if page.due_at is not None:
            say(f"To accept: {wording.left(page.due_at, now)}.")
        table(
            "\nLines",
            ("sku", "title", "shopify", "agreed", "mirakl", "cancelled", ""),
            (
                (
                    line.sku,
                    line.title,
                    _number(line.shopify),
                    _number(line.agreed),
                    _number(line.ordered),
                    line.cancelled or "",
                    "" if line.agrees else f"differs {line.note}".strip(),
                )
                for line in page.lines
            ),
        )
        if page.memory.lineage:
            table(
                "\nShopify orders of this sale",
                ("order", "role", "since", "by", "evidence or reason"),
                (
                    (k.name, wording.ROLES[k.role], wording.stamp(k.since), k.who, k.why)
                    for k in page.memory.lineage
                ),
            )
        if page.cases:
            table(
                "\nOpen cases",
                ("case", "severity", "what", "options"),
                ((one.id, one.severity, one.sentence, ", ".join(one.options)) for one in page.cases),
            )
        table(
            "\nStory, newest first",
            ("when", "who", "what"),
            ((wording.stamp(at), who, what) for at, who, what in page.story[:40]),
        )


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _document(page: OrderPage) -> dict[str, object]:
    """The page without the stored view, which holds more than an answer needs."""
    shown = {field.name: getattr(page, field.name) for field in fields(page)}
    for name in ("seen", "memory", "plan"):
        del shown[name]
    shown["memory"] = encode(page.memory)
    return shown


@commands.command("explain")
def explain_order(number: Number, connection: OfConnection = "", as_json: AsJson = False) -> None:
    """Say why an edit has not reached the marketplace, with the chain of evidence."""
    with opened() as installation:
        page, now = found_order(installation, number, connection), installation.clock.now()
        why = explain(page, now)
        if as_json:
            print_json({"order": page.mirakl_order_id, "connection": page.connection, "why": why})
            return
        say(why.verdict)
        if why.waits_for:
            until = (
                f", until {wording.stamp(why.until)} ({wording.left(why.until, now)})" if why.until else ""
            )
            say(f"It waits for {why.waits_for}{until}.")
        for one in why.differences:
            say(f"\n{one.difference}")
            say(f"  {one.answer[:1].upper()}{one.answer[1:]}. {one.sentence}")
            looked_at = "; ".join(f"{what}: {value}" for what, value in one.facts)
            say(f"  What was looked at: {looked_at} (rule {one.rule}).")
            for sentence in one.would_change:
                say(f"  · {sentence}")
        table(
            "\nEvidence",
            ("kind", "what", "since", "until"),
            ((e.kind, e.sentence, wording.stamp(e.at), wording.stamp(e.until)) for e in why.chain),
        )
        if why.would_change:
            say("\nWhat would change it")
            for sentence in why.would_change:
                say(f"  · {sentence}")


@commands.command("replay")
def replay_order(
    number: Number, connection: OfConnection = "", who: Who = "", as_json: AsJson = False
) -> None:
    """Have an order looked at again, with a fresh reading of both sides."""
    with opened() as installation:
        page, now = found_order(installation, number, connection), installation.clock.now()
        if not who.strip():
            end(Exit.REFUSED, "Say with --who who asks for it. Nothing was changed.")
        installation.tx(lambda c: desk.replay(c, installation.queue, page.id, who.strip(), now))
        if as_json:
            print_json({"order": page.mirakl_order_id, "asked_at": now})
            return
        say(f"{page.mirakl_order_id} is looked at again within seconds if a worker runs.")
