"""`interlock stock …`: what every offer may show and why, what was told to the marketplace, and the settings."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import File, Name, connection_or_end
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import desk, stock, wording
from interlock.console.stock import Explained, StockPage
from interlock.engine.store import ConnectionRow

commands = typer.Typer(
    no_args_is_help=True,
    help="Stock: show, explain, publish, locations, buffer, buffers, zero.",
)
Why = Annotated[str, typer.Option("--why", help="The reason, kept with the change.")]


@commands.command("show")
def show(connection: Name, as_json: AsJson = False) -> None:
    """Show the stock of a connection: settings, offers that do not show what they may, and the latest files; exit code 1
    while a case about stock is open."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        page = installation.tx(lambda c: stock.stock_page(c, row, installation.clock.now()))
    if as_json:
        print_json(page)
    else:
        _say_page(page)
    if page.cases:
        raise typer.Exit(int(Exit.NOT_WELL))


def _say_page(page: StockPage) -> None:
    say(f"Stock of {page.connection} is {'published' if page.publishes else 'not published'}.")
    if page.paused is not None:
        say(f"It is {page.paused.in_words} No figure is told.")
    if page.zeroed:
        say(f"Every offer shows nothing for now: {page.zeroed}")
    say(
        f"Locations: {', '.join(page.locations) or 'every active one that fulfils online orders'}. Safety buffer: {page.buffer}."
    )
    say(
        f"{wording.counted(page.offers, 'offer')}; {page.differing} do not show what they may; {page.without} of which nothing can be said."
    )
    if page.open:
        table(
            "\nStill to be told",
            ("sku", "may show", "published", "confirmed", "believed", "because"),
            (
                (one.sku, one.target, one.published, one.confirmed, one.believed, " ".join(one.because))
                for one in page.open
            ),
        )
    if page.files:
        table(
            "\nLatest files",
            ("sent", "lines", "refused", "state", "said"),
            (
                (wording.stamp(one.sent_at), one.lines, one.lines_refused, one.state, one.words)
                for one in page.files
            ),
        )
    for number, reason, sentence in page.cases:
        say(f"Case {number} ({reason}): {sentence}")


@commands.command("explain")
def explain(
    connection: Name,
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The offer's SKU at the marketplace.")],
    as_json: AsJson = False,
) -> None:
    """Explain one offer's figure: its articles by location, what is sold and not claimed, the buffer, and what was told."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        found = installation.tx(lambda c: stock.explained(c, row, sku, now))
    if found is None:
        end(
            Exit.NOT_FOUND,
            f"{row.name} has no stock figure for {sku!r}: there is no such offer, nothing of the shop stands behind it, or "
            "its stock is not published.",
        )
    if as_json:
        print_json(found)
        return
    _say_explained(found)


def _say_explained(found: Explained) -> None:
    for sentence in found.because:
        say(sentence)
    table(
        "\nArticles",
        ("sku", "per unit", "location", "available", "counts"),
        (
            (part.sku, part.per_unit, level.location, level.available, "yes" if level.counts else "no")
            for part in found.parts
            for level in part.levels
        ),
    )
    if found.sold:
        table(
            "\nSold and not claimed in Shopify yet",
            ("marketplace", "order", "sku", "units"),
            ((one.marketplace, one.order, one.sku, one.units) for one in found.sold),
        )
    for what, units, at in (
        ("Published", found.published, found.published_at),
        ("Confirmed", found.confirmed, found.confirmed_at),
        ("Shown by the marketplace", found.shown, found.shown_at),
    ):
        say(f"{what}: {'never' if at is None else f'{units}, {wording.stamp(at)}'}.")
    if found.refused_why:
        say(f"The marketplace refused it: {found.refused_why}")
    if found.drifted_at is not None:
        say(
            f"It last showed something else than was published on {wording.stamp(found.drifted_at)}: {found.drifted_to}."
        )
    if found.waits:
        say(found.waits)


@commands.command("publish")
def publish(
    connection: Name,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="on, off, or again: tell every figure anew.")],
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Begin or end publishing the shop's stock to the marketplace's offers; it is off until it is set up."""
    if what not in ("on", "off", "again"):
        end(Exit.REFUSED, f"{what!r} is neither on, off nor again. Nothing was changed.")
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()

        def work(c: Connection) -> None:
            if what == "again":
                stock.tell_again(c, row, who, now)
            else:
                stock.set_publishing(c, installation.queue, row, what == "on", who, why, now)

        _tried(lambda: installation.tx(work))
    said = {
        "on": f"The stock of {row.name} is published from now on.",
        "off": f"The stock of {row.name} is not published any more; its offers keep what they show.",
        "again": f"Every figure of {row.name} is told again with the next files.",
    }
    _done(row, said[what], as_json)


@commands.command("zero")
def zero(
    connection: Name,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="on: every offer shows nothing; off: as usual.")
    ],
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Have every offer of a marketplace show nothing for a while. A pause of a flow never does this by itself."""
    if what not in ("on", "off"):
        end(Exit.REFUSED, f"{what!r} is neither on nor off. Nothing was changed.")
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        _tried(
            lambda: installation.tx(
                lambda c: stock.set_zero(c, installation.queue, row, what == "on", who, why, now)
            )
        )
    said = (
        "Every offer shows nothing with the next file." if what == "on" else "Offers show their stock again."
    )
    _done(row, said, as_json)


@commands.command("locations")
def locations(
    connection: Name,
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LOCATION",
            help="Numbers of Shopify locations; none: every active one that fulfils online orders.",
        ),
    ] = None,
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Set the Shopify locations whose stock is offered and orders are accepted on."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        given = tuple(places or ())
        _tried(
            lambda: installation.tx(
                lambda c: stock.set_locations(c, installation.queue, row, given, who, why, now)
            )
        )
    _done(
        row,
        f"The stock of {wording.counted(len(given), 'location') if given else 'every location that fulfils online orders'} is offered.",
        as_json,
    )


@commands.command("buffer")
def buffer(
    connection: Name,
    units: Annotated[
        str, typer.Argument(metavar="UNITS", help="Units held back; with --sku, none: the connection's.")
    ],
    sku: Annotated[str, typer.Option("--sku", help="Only this offer.")] = "",
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Hold units back from every offer, or from one."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        given = "" if sku and units == "none" else units
        _tried(
            lambda: installation.tx(
                lambda c: stock.set_buffer(c, installation.queue, row, given, who, why, now, sku)
            )
        )
    _done(row, f"The safety buffer of {sku or row.name} is {given or 'that of the connection'}.", as_json)


@commands.command("buffers")
def buffers(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Set the safety buffers of a CSV file (sku and buffer); all rows or none."""
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        body = file.read_bytes()
        try:
            number = installation.tx(lambda c: stock.import_buffers(c, row, file.name, body, who, now))
        except desk.MapRefused as refused:
            installation.tx(lambda c: desk.count_refused_file(c, "buffers"))
            end(Exit.REFUSED, str(refused))
        except stock.StockRefused as refused:
            end(Exit.REFUSED, str(refused))
    if as_json:
        print_json({"connection": row.name, "buffers": number})
        return
    say(f"{wording.counted(number, 'buffer')} kept.")


def _tried(work: Callable[[], object]) -> None:
    try:
        work()
    except stock.StockRefused as refused:
        end(Exit.REFUSED, str(refused))


def _done(row: ConnectionRow, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json({"connection": row.name, "done": sentence})
    else:
        say(sentence)
