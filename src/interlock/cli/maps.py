"""`interlock skus …`: how products are called on the other side; and what it shares with `interlock carriers`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import desk, wording
from interlock.console.bundles import (
    bundles_as_file,
    component_of,
    read_bundle_file,
    set_bundle,
    set_bundles,
)
from interlock.console.connections import connection_named
from interlock.console.mappings import sku_desk
from interlock.console.skus import compared, offer_state, roll_back_skus, skus_as_file, suggestions
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, MapChange, all_connections
from interlock.offers.store import bundles

skus = typer.Typer(
    no_args_is_help=True,
    help="The SKU map: list, suggest, compare, map, unmap, bundle, import, export, rollback.",
)
Name = Annotated[str, typer.Argument(help="The name of the connection.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept with the removal.")]
File = Annotated[Path, typer.Argument(help="A CSV file in UTF-8.", exists=True, dir_okay=False)]
OfBundles = Annotated[
    bool,
    typer.Option("--bundles", help="The bundles instead of the map: offer_sku, component_sku, quantity."),
]
To = Annotated[str, typer.Option("--to", help="The moment, with its offset: 2026-11-26T06:00:00+00:00.")]


def moment_or_end(to: str) -> datetime:
    """The moment that `--to` names, or the end of the command."""
    try:
        moment = datetime.fromisoformat(to.strip())
    except ValueError:
        end(
            Exit.REFUSED,
            f"--to: {to!r} is not a moment such as 2026-11-26T06:00:00+00:00. Nothing was changed.",
        )
    if moment.tzinfo is None:
        end(Exit.REFUSED, f"--to: {to!r} has no offset; add one, for instance +00:00. Nothing was changed.")
    return moment


def connection_or_end(installation: Installation, name: str) -> ConnectionRow:
    """The connection of that name, or the end of the command with the names there are."""
    row = installation.tx(lambda c: connection_named(c, name))
    if row is None:
        names = installation.tx(lambda c: [one.name for one in all_connections(c)])
        end(
            Exit.NOT_FOUND,
            f"There is no connection {name!r}. There is: {', '.join(names) or 'none yet'}. Nothing was changed.",
        )
    return row


def change_map(
    connection: str,
    kind: str,
    work: Callable[[Connection, Queue, ConnectionRow, datetime], desk.Mapped],
    as_json: bool,
    *,
    from_file: bool = False,
) -> None:
    """Change a map of the connection and say what was kept; a refusal ends the command, and a refused file is counted.

    `work` gets the transaction, the queue that wakes the orders which wait, the connection and the moment."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        try:
            mapped = installation.tx(lambda c: work(c, installation.queue, row, now))
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
        say(f"{wording.counted(mapped.removed, 'mapping')} removed.")
    if mapped.removed and not mapped.mappings:
        return
    say(
        f"{wording.counted(mapped.mappings, 'mapping')} kept; looked at again: {wording.counted(mapped.orders, 'waiting order')}."
    )
    if mapped.left_out:
        say(f"{wording.counted(mapped.left_out, 'case')} that somebody else has answered otherwise stays so.")
    if mapped.replay is not None:
        say(f"Follow them with `interlock cases progress {mapped.replay}`.")


def say_changes(history: tuple[MapChange, ...]) -> None:
    """The latest changes of a map, for people."""
    table(
        "\nChanges",
        ("at", "name", "was", "is", "by", "why"),
        ((wording.stamp(one.at), one.name, one.former, one.present, one.who, one.why) for one in history),
    )


@skus.command("list")
def list_skus(connection: Name, as_json: AsJson = False) -> None:
    """List the SKU map and the SKUs that wait for a mapping."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
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
        say_changes(found.history)


@skus.command("map")
def map_sku(
    connection: Name,
    mirakl_sku: Annotated[str, typer.Argument(help="The SKU as the marketplace writes it.")],
    shop_sku: Annotated[str, typer.Argument(help="The SKU in the shop.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Map one SKU; orders that wait for it go on."""
    pairs = [(mirakl_sku.strip(), shop_sku.strip())]
    change_map(
        connection,
        "skus",
        lambda c, queue, row, now: desk.map_sku_names(c, queue, row, pairs, who, now),
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
    change_map(
        connection,
        "skus",
        lambda c, queue, row, now: desk.unmap_sku_name(c, row, mirakl_sku, who, why, now),
        as_json,
    )


@skus.command("import")
def import_skus(
    connection: Name, file: File, of_bundles: OfBundles = False, who: Who = "", as_json: AsJson = False
) -> None:
    """Map the SKUs of a CSV file (mirakl_sku and shop_sku), or tell the bundles of one; all rows or none.

    A bundle in the file replaces what was said of its offer; what is said of other offers stays."""
    body = file.read_bytes()

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        if of_bundles:
            return set_bundles(c, queue, row, read_bundle_file(file.name, body), who, now)
        return desk.map_sku_names(c, queue, row, desk.read_sku_file(file.name, body), who, now)

    change_map(connection, "bundles" if of_bundles else "skus", work, as_json, from_file=True)


@skus.command("rollback")
def roll_back(connection: Name, to: To = "", why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Make the SKU map and the bundles what they were at a moment; all of it or nothing, and the history stays.

    Orders that exist keep their lines."""
    moment = moment_or_end(to)
    change_map(
        connection,
        "skus",
        lambda c, queue, row, now: roll_back_skus(c, queue, row, moment, who, why, now),
        as_json,
    )


@skus.command("suggest")
def suggest_skus(
    connection: Name,
    sku: Annotated[str, typer.Argument(help="A SKU as the marketplace writes it.")],
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Rank the products of the shop a marketplace SKU could mean, with reasons; nothing is changed.

    Nothing is ever taken by itself: a SKU that differs in case or leading zeros, and a barcode, are suggestions."""
    if not sku.strip():
        end(Exit.REFUSED, "The SKU is empty. Nothing was changed.")
    with opened() as installation:
        row = connection_or_end(installation, connection)
        found = installation.tx(lambda c: suggestions(c, row, (sku.strip(),), limit))[sku.strip()]
    if as_json:
        print_json(found)
        return
    if not found:
        say(
            f"Nothing in the shop of {row.name} is like “{sku.strip()}”, or its products were not read yet: "
            f"`interlock skus compare {row.name}` says when they were."
        )
        return
    table(
        f"What “{sku.strip()}” could mean",
        ("shop SKU", "product", "score", "because"),
        ((one.shop_sku, one.title, f"{one.score:.2f}", "; ".join(one.reasons)) for one in found),
    )


@skus.command("compare")
def compare_skus(
    connection: Name,
    state: Annotated[
        str,
        typer.Option(
            "--state",
            help="Only lines of this state: linked, bundle, without product, ambiguous, inactive, deleted, not offered.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compare the offers of the marketplace with the products of the shop, as both were last read.

    Without --state what is linked and fine is only counted."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        stood = installation.tx(lambda c: offer_state(c, row, now=now))
        lines = installation.tx(lambda c: compared(c, row, now))
    chosen = [
        one for one in lines if (one.state == state if state else one.state != "linked" or one.price_differs)
    ]
    if as_json:
        print_json({"state": stood, "lines": chosen})
        return
    read = "not read yet" if stood.offers_at is None else f"read at {wording.stamp(stood.offers_at)}"
    shop = "not read yet" if stood.products_at is None else f"read at {wording.stamp(stood.products_at)}"
    say(
        f"{stood.offers} offers ({read}): {stood.linked} linked, {stood.bundles} of them bundles, "
        f"{stood.without_product} without product, {stood.ambiguous} ambiguous."
    )
    say(f"{stood.products} products for sale ({shop}): {stood.without_offer} not offered.")
    table(
        "",
        ("offer SKU", "state", "shop SKU", "units", "product", "quantity", "offer price", "shop price"),
        (
            (
                one.offer_sku,
                one.state + (", price differs" if one.price_differs else ""),
                one.shop_sku,
                str(one.units or ""),
                one.product,
                "" if one.quantity is None else str(one.quantity),
                "" if one.offer_price is None else f"{one.offer_price} {one.currency}",
                "" if one.shop_price is None else str(one.shop_price),
            )
            for one in chosen
        ),
    )


@skus.command("bundle")
def bundle_skus(
    connection: Name,
    mirakl_sku: Annotated[str, typer.Argument(help="The SKU of the offer as the marketplace writes it.")],
    components: Annotated[
        list[str] | None,
        typer.Argument(help="What one unit of it contains: SKU=UNITS of the shop; none to end the bundle."),
    ] = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say what one unit of an offer is made of: its stock is worked out from its components, and its orders are created
    in Shopify as those.

    Orders that exist keep their lines; those that wait for it go on. Without components the offer is no bundle any more."""

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        made_of = [component_of(one) for one in components or ()]
        return set_bundle(c, queue, row, mirakl_sku.strip(), made_of, who, now)

    change_map(connection, "skus", work, as_json)


@skus.command("export")
def export_skus(connection: Name, of_bundles: OfBundles = False, as_json: AsJson = False) -> None:
    """Write the SKU map, or the bundles, as the CSV file that `interlock skus import` takes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        if as_json:
            print_json(
                installation.tx(lambda c: bundles(c, row.id) if of_bundles else sku_desk(c, row).mappings)
            )
            return
        written = bundles_as_file if of_bundles else skus_as_file
        typer.echo(installation.tx(lambda c: written(c, row.id)), nl=False)
