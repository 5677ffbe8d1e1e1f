"""`interlock carriers …`: how each carrier of the shop is called at a marketplace, and what a name could mean there."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import File, Name, To, Why, change_map, connection_or_end, moment_or_end, say_changes
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import desk, wording
from interlock.console.carriers import as_file, roll_back_carriers
from interlock.console.mappings import carrier_desk
from interlock.engine.earlier_carriers import earlier_choices
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import Carrier, CarrierMapping, EarlierChoice
from interlock.shipping.store import carrier_map
from interlock.shipping.suggest import suggest
from interlock.wiring import rules_of

Country = Annotated[
    str, typer.Option("--country", help="Only for parcels that go there, as two letters (ISO 3166).")
]
Service = Annotated[
    str, typer.Option("--service", help="Only for the marketplace's shipping method of this code.")
]
commands = typer.Typer(
    no_args_is_help=True, help="The carrier map: list, suggest, map, unmap, import, export, rollback."
)


@commands.command("suggest")
def suggest_carriers(
    name: Annotated[str, typer.Argument(help="A carrier's name as the shop or its warehouse writes it.")],
    codes: Annotated[
        Path | None,
        typer.Option(
            "--codes",
            help="The marketplace's list: a CSV file in UTF-8 with code and label.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    connection: Annotated[
        str,
        typer.Option("--connection", help="Instead of a file: the list this connection's marketplace gave."),
    ] = "",
    tracking: Annotated[
        str, typer.Option("--tracking", help="A tracking number of the carrier, as evidence.")
    ] = "",
    country: Annotated[
        str, typer.Option("--country", help="Where the parcels go, as two letters (ISO 3166), as evidence.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Rank the marketplace's carriers a name could mean, with reasons; nothing is changed."""
    if bool(codes) == bool(connection):
        end(Exit.USAGE, "Give either --codes with a file or --connection with a name. Nothing was changed.")
    if not name.strip():
        end(Exit.REFUSED, "The name is empty. Nothing was changed.")
    earlier: tuple[EarlierChoice, ...] = ()
    if codes is not None:
        carriers = _carriers_of(codes, as_json)
    else:
        with opened() as installation:
            row = connection_or_end(installation, connection)
            carriers = rules_of(row, ()).carriers
            earlier = installation.tx(lambda c: earlier_choices(c, [name]))
        if not carriers:
            end(
                Exit.REFUSED,
                f"{row.name} has no list of carriers yet: its marketplace was not asked, or has none.",
            )
    found = suggest(carriers, name, tracking=tracking, country=country, earlier=earlier, limit=limit)
    if as_json:
        print_json(found)
        return
    if not found:
        say(f"None of the {len(carriers)} carriers sounds like “{name.strip()}”.")
        return
    table(
        f"What “{name.strip()}” could mean",
        ("code", "label", "score", "by itself", "because"),
        (
            (one.code, one.label, f"{one.score:.2f}", "yes" if one.automatic else "", "; ".join(one.reasons))
            for one in found
        ),
    )


def _carriers_of(file: Path, as_json: bool) -> tuple[Carrier, ...]:
    try:
        return desk.read_code_file(file.name, file.read_bytes())
    except desk.MapRefused as refused:
        if as_json:
            print_json(
                {"error": str(refused), "file": refused.file, "row": refused.row, "field": refused.field}
            )
        end(Exit.REFUSED, str(refused))


@commands.command("list")
def list_carriers(connection: Name, as_json: AsJson = False) -> None:
    """List the carrier map, the marketplace's own carriers, and names that wait for a mapping."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        found = installation.tx(lambda c: carrier_desk(c, row))
        if as_json:
            print_json(found)
            return
        table(
            "Mappings",
            ("shop writes", "country", "service", "code", "free name", "by", "at"),
            (
                (shop_name, country, service, code, name, who, wording.stamp(at))
                for shop_name, code, name, who, at, country, service in found.mappings
            ),
        )
        if found.default:
            say(f"\nEvery other carrier is sent as {found.default}: the default of this connection.")
        else:
            say("\nThere is no default: a carrier that is not mapped waits as a case.")
        table("\nCarriers of the marketplace", ("code", "label"), found.registered)
        table(
            "\nWaiting for a mapping",
            ("shop writes", "orders", "sounds like"),
            ((name, number, ", ".join(codes)) for name, number, codes in found.wanted),
        )
        say_changes(found.history)
        table(
            "\nWhat the marketplace changed itself",
            ("at", "list", "code", "what", "was", "is"),
            (
                (wording.stamp(one.at), one.kind, one.code, one.what, one.former, one.present)
                for one in found.marketplace_changes
            ),
        )


@commands.command("map")
def map_carrier(
    connection: Name,
    shop_name: Annotated[
        str, typer.Argument(help="The carrier's name as the shop writes it; * for the default.")
    ],
    code: Annotated[str, typer.Option("--code", help="The marketplace's code of the carrier.")] = "",
    name: Annotated[str, typer.Option("--name", help="A free name, where the marketplace takes one.")] = "",
    country: Country = "",
    service: Service = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Map one carrier; orders that wait for it go on."""
    mapping = CarrierMapping(
        shop_name.strip(), code.strip(), name.strip(), country.strip().upper(), service.strip()
    )
    change_map(
        connection,
        "carriers",
        lambda c, queue, row, now: desk.map_carrier_names(c, queue, row, [mapping], who, now),
        as_json,
    )


@commands.command("unmap")
def unmap_carrier(
    connection: Name,
    shop_name: Annotated[str, typer.Argument(help="The carrier's name as the shop writes it.")],
    country: Country = "",
    service: Service = "",
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Remove the mapping of one carrier; parcels that name it afterwards wait as cases."""
    place = (country.strip().upper(), service.strip())
    change_map(
        connection,
        "carriers",
        lambda c, queue, row, now: desk.unmap_carrier_name(c, queue, row, shop_name, who, why, now, *place),
        as_json,
    )


@commands.command("import")
def import_carriers(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Map the carriers of a CSV file (shop_name and code, or shop_name and name); all rows or none."""
    body = file.read_bytes()

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        mappings = desk.read_carrier_file(row, file.name, body)
        return desk.map_carrier_names(c, queue, row, mappings, who, now)

    change_map(connection, "carriers", work, as_json, from_file=True)


@commands.command("export")
def export_carriers(connection: Name, as_json: AsJson = False) -> None:
    """Print the carrier map as the CSV file that `carriers import` takes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        mappings = installation.tx(lambda c: carrier_map(c, row.id))
        if as_json:
            print_json(mappings)
            return
        typer.echo(as_file(mappings), nl=False)


@commands.command("rollback")
def roll_back(connection: Name, to: To = "", why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Make the carrier map what it was at a moment; all of it or nothing, and the history stays."""
    moment = moment_or_end(to)
    change_map(
        connection,
        "carriers",
        lambda c, queue, row, now: roll_back_carriers(c, queue, row, moment, who, why, now),
        as_json,
    )
