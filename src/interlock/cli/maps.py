"""`interlock carriers …` and `interlock skus …`: how things are called on the other side."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import desk, wording
from interlock.console.connections import connection_named
from interlock.console.mappings import carrier_desk, sku_desk
from interlock.engine.store import ConnectionRow, MapChange, all_connections
from interlock.orders.connection import CarrierMapping

carriers = typer.Typer(no_args_is_help=True, help="The carrier map: list, map, unmap, import.")
skus = typer.Typer(no_args_is_help=True, help="The SKU map: list, map, unmap, import.")
Name = Annotated[str, typer.Argument(help="The name of the connection.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept with the removal.")]
File = Annotated[Path, typer.Argument(help="A CSV file in UTF-8.", exists=True, dir_okay=False)]


def _connection(installation: Installation, name: str) -> ConnectionRow:
    row = installation.tx(lambda c: connection_named(c, name))
    if row is None:
        names = installation.tx(lambda c: [one.name for one in all_connections(c)])
        end(
            Exit.NOT_FOUND,
            f"There is no connection {name!r}. There is: {', '.join(names) or 'none yet'}. Nothing was changed.",
        )
    return row


def _keep(
    installation: Installation,
    kind: str,
    work: Callable[[Connection], desk.Mapped],
    from_file: bool,
    as_json: bool,
) -> None:
    try:
        mapped = installation.tx(work)
    except desk.MapRefused as refused:
        if from_file:
            installation.tx(lambda c: desk.count_refused_file(c, kind))
        if as_json:
            print_json(
                {"error": str(refused), "file": refused.file, "row": refused.row, "field": refused.field}
            )
        end(Exit.REFUSED, str(refused))
    if as_json:
        print_json(mapped)
        return
    if mapped.removed:
        say(f"{mapped.removed} mapping(s) removed.")
        return
    say(f"{mapped.mappings} mapping(s) kept; {mapped.orders} waiting order(s) are looked at again.")


def _changes(history: tuple[MapChange, ...]) -> None:
    table(
        "\nChanges",
        ("at", "name", "was", "is", "by", "why"),
        ((wording.stamp(one.at), one.name, one.former, one.present, one.who, one.why) for one in history),
    )


@carriers.command("list")
def list_carriers(connection: Name, as_json: AsJson = False) -> None:
    """List the carrier map, the marketplace's own carriers, and names that wait for a mapping."""
    with opened() as installation:
        row = _connection(installation, connection)
        found = installation.tx(lambda c: carrier_desk(c, row))
        if as_json:
            print_json(found)
            return
        table(
            "Mappings",
            ("shop writes", "code", "free name", "by", "at"),
            ((a, b, c, d, wording.stamp(e)) for a, b, c, d, e in found.mappings),
        )
        table("\nCarriers of the marketplace", ("code", "label"), found.registered)
        table(
            "\nWaiting for a mapping",
            ("shop writes", "orders", "sounds like"),
            ((name, number, ", ".join(codes)) for name, number, codes in found.wanted),
        )
        _changes(found.history)


@carriers.command("map")
def map_carrier(
    connection: Name,
    shop_name: Annotated[str, typer.Argument(help="The carrier's name exactly as the shop writes it.")],
    code: Annotated[str, typer.Option("--code", help="The marketplace's code of the carrier.")] = "",
    name: Annotated[str, typer.Option("--name", help="A free name, where the marketplace takes one.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Map one carrier; orders that wait for it go on."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        mapping = CarrierMapping(shop_name.strip(), code.strip(), name.strip())
        _keep(
            installation,
            "carriers",
            lambda c: desk.map_carrier_names(c, installation.queue, row, [mapping], who, now),
            False,
            as_json,
        )


@carriers.command("unmap")
def unmap_carrier(
    connection: Name,
    shop_name: Annotated[str, typer.Argument(help="The carrier's name as the shop writes it.")],
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Remove the mapping of one carrier; parcels that name it afterwards wait as cases."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        _keep(
            installation,
            "carriers",
            lambda c: desk.unmap_carrier_name(c, row, shop_name, who, why, now),
            False,
            as_json,
        )


@carriers.command("import")
def import_carriers(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Map the carriers of a CSV file (shop_name and code, or shop_name and name); all rows or none."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        body = file.read_bytes()

        def work(c: Connection) -> desk.Mapped:
            mappings = desk.read_carrier_file(row, file.name, body)
            return desk.map_carrier_names(c, installation.queue, row, mappings, who, now)

        _keep(installation, "carriers", work, True, as_json)


@skus.command("list")
def list_skus(connection: Name, as_json: AsJson = False) -> None:
    """List the SKU map and the SKUs that wait for a mapping."""
    with opened() as installation:
        row = _connection(installation, connection)
        found = installation.tx(lambda c: sku_desk(c, row))
        if as_json:
            print_json(found)
            return
        table(
            "Mappings",
            ("marketplace SKU", "shop SKU", "by", "at"),
            ((a, b, c, wording.stamp(d)) for a, b, c, d in found.mappings),
        )
        table("\nWaiting for a mapping", ("marketplace SKU", "orders"), found.wanted)
        _changes(found.history)


@skus.command("map")
def map_sku(
    connection: Name,
    mirakl_sku: Annotated[str, typer.Argument(help="The SKU as the marketplace writes it.")],
    shop_sku: Annotated[str, typer.Argument(help="The SKU in the shop.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Map one SKU; orders that wait for it go on."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        pairs = [(mirakl_sku.strip(), shop_sku.strip())]
        _keep(
            installation,
            "skus",
            lambda c: desk.map_sku_names(c, installation.queue, row, pairs, who, now),
            False,
            as_json,
        )


@skus.command("unmap")
def unmap_sku(
    connection: Name,
    mirakl_sku: Annotated[str, typer.Argument(help="The SKU as the marketplace writes it.")],
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Remove the mapping of one SKU; new orders look for it in the shop as the marketplace writes it."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        _keep(
            installation,
            "skus",
            lambda c: desk.unmap_sku_name(c, row, mirakl_sku, who, why, now),
            False,
            as_json,
        )


@skus.command("import")
def import_skus(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Map the SKUs of a CSV file (mirakl_sku and shop_sku); all rows or none."""
    with opened() as installation:
        row, now = _connection(installation, connection), installation.clock.now()
        body = file.read_bytes()

        def work(c: Connection) -> desk.Mapped:
            pairs = desk.read_sku_file(file.name, body)
            return desk.map_sku_names(c, installation.queue, row, pairs, who, now)

        _keep(installation, "skus", work, True, as_json)
