"""`interlock health`, `db …`, `simulate …`, `serve`, `worker` and `demo`."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.cli.installation import opened, settings_or_end
from interlock.cli.telling import AsJson, Exit, end, print_json, say, table
from interlock.console import wording
from interlock.console.health import service_health
from interlock.logs import configure
from interlock.monitoring.board import kept_board
from interlock.settings import Settings, SettingsInvalid
from interlock.storage.embedded import EmbeddedServer, EmbeddedServerRefused
from interlock.storage.encryption import KeyRefused, Undecipherable, new_key
from interlock.storage.key_rotation import rotate
from interlock.storage.migrations import DatabaseIsNewer, check, upgrade
from interlock.storage.trouble import DatabaseRefused
from interlock.tables import metadata

db = typer.Typer(no_args_is_help=True, help="The database: upgrade, check, new-key, rotate-key, stop.")
simulate = typer.Typer(no_args_is_help=True, help="The simulated platforms, over plain HTTP on this machine.")


def health(as_json: AsJson = False) -> None:
    """Say how the service is; exit code 1 when something is wrong."""
    with opened() as installation:
        now = installation.clock.now()
        found, board = installation.tx(lambda c: (service_health(c, now), kept_board(c)))
        if as_json:
            print_json({"ok": found.ok, "health": found, "measured": board})
        else:
            say("Everything that should beat beats." if found.ok else "\n".join(found.problems))
            pulses = (*found.polls, *found.pulses)
            table(
                "\nHeard",
                ("part", "last", ""),
                ((p.called, wording.ago(p.at, now), "STALE" if p.stale else p.detail) for p in pulses),
            )
            table("\nBacklog", ("lane", "orders"), found.backlog)
            table(
                "\nWindows running out",
                ("order", "connection", "left", "gone"),
                (
                    (w.mirakl_order_id, w.connection, wording.left(w.due_at, now), f"{w.gone:.0%}")
                    for w in found.windows
                ),
            )
            if board is not None:
                table(
                    "\nObjectives, last 30 days",
                    ("objective", "what", "promised", "measured", "verdict"),
                    ((o.code, o.what, o.promise, o.is_now, o.verdict) for o in board.objectives),
                )
            table("\nCounts", ("what", "of", "number"), found.counts)
        if not found.ok:
            raise typer.Exit(int(Exit.NOT_WELL))


@db.command("upgrade")
def db_upgrade(as_json: AsJson = False) -> None:
    """Bring the database to the schema of this release."""
    with opened(upgraded=False) as installation:
        upgrade(installation.database)
        problems = check(installation.database, metadata)
        _report(problems, "The database has the schema of this release.", as_json)


@db.command("check")
def db_check(as_json: AsJson = False) -> None:
    """Compare the database with this release; exit code 1 when they differ."""
    with opened(upgraded=False) as installation:
        problems = check(installation.database, metadata)
        _report(problems, "The database has the schema of this release.", as_json)


def _report(problems: list[str], well: str, as_json: bool) -> None:
    if as_json:
        print_json({"ok": not problems, "problems": problems})
    else:
        say("\n".join(problems) or well)
    if problems:
        raise typer.Exit(int(Exit.NOT_WELL))


@db.command("new-key")
def db_new_key(as_json: AsJson = False) -> None:
    """Print a new encryption key. Put it in front of the present one and keep the former behind it."""
    key = new_key()
    if as_json:
        print_json({"key": key})
    else:
        typer.echo(key)


@db.command("rotate-key")
def db_rotate_key(as_json: AsJson = False) -> None:
    """Write every stored credential and personal value again under the first key; exit code 1 when one cannot be read."""
    with opened() as installation:
        done = list(rotate(installation.database, metadata, installation.keyring))
        unreadable = sum(one.unreadable for one in done)
        if as_json:
            print_json({"ok": not unreadable, "columns": done})
        else:
            table(
                "",
                ("table", "column", "written anew", "done before", "unreadable"),
                ((one.table, one.column, one.rewritten, one.current, one.unreadable) for one in done),
            )
            say(
                f"{wording.counted(unreadable, 'value')} cannot be read with the keys given. Add the key they were written with, and run "
                "this again; until then keep every former key."
                if unreadable
                else "Every value is under the first key. Once every process was started again with it, the former keys "
                "may go."
            )
        if unreadable:
            raise typer.Exit(int(Exit.NOT_WELL))


@db.command("stop")
def db_stop(as_json: AsJson = False) -> None:
    """Stop the embedded database. One of your own is yours to stop."""
    settings = settings_or_end()
    if settings.database_url is not None:
        end(Exit.REFUSED, "INTERLOCK_DATABASE_URL names a database of your own; it was not touched.")
    server = EmbeddedServer(settings.data_folder)
    try:
        ran = server.is_running()
        server.stop()
    except EmbeddedServerRefused as refused:
        end(Exit.REFUSED, str(refused))
    if as_json:
        print_json({"stopped": ran})
    else:
        say("The embedded database was stopped." if ran else "The embedded database was not running.")


Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")]
Seed = Annotated[int, typer.Option("--seed", help="What chance decides: the same seed, the same platform.")]
Speed = Annotated[float, typer.Option("--speed", min=0.001, help="Platform seconds per second.")]
PrintsJson = Annotated[bool, typer.Option("--json", help="Always on: prints one JSON line once it listens.")]


@simulate.command("mirakl")
def simulate_mirakl(
    port: Port = 0,
    seed: Seed = 1,
    profile: Annotated[str, typer.Option("--profile", help="Which marketplace it is like.")] = "automatic",
    speed: Speed = 1.0,
    as_json: PrintsJson = True,
) -> None:
    """Run a simulated marketplace until stopped; prints its address and key as one JSON line."""
    del as_json
    from interlock.simulator.mirakl import standalone

    try:
        asyncio.run(standalone.serve(port, seed, profile, speed))
    except standalone.UnknownProfile as unknown:
        end(Exit.REFUSED, str(unknown))


@simulate.command("shopify")
def simulate_shopify(port: Port = 0, seed: Seed = 1, speed: Speed = 1.0, as_json: PrintsJson = True) -> None:
    """Run a simulated shop until stopped; prints its address and credentials as one JSON line."""
    del as_json
    from interlock.simulator.mirakl import CATALOGUE
    from interlock.simulator.shopify import standalone
    from interlock.simulator.shopify.world import ShopifyWorld

    def stock(world: ShopifyWorld) -> None:
        # The shop sells what the simulated marketplaces list, so that the two can be connected at once.
        for item in CATALOGUE:
            world.add_variant(item.sku, item.price, 100, title=item.title)

    asyncio.run(standalone.serve(port, seed, speed=speed, prepare=stock))


def serve() -> None:
    """Run web, worker and embedded database in one process until stopped; the first start prints who may begin."""
    from interlock import service

    _until_stopped(service.serve, (service.NotThisMachine, service.CannotListen, SettingsInvalid))


def worker() -> None:
    """Run one more worker on the database of the settings, until stopped."""
    from interlock import service

    _until_stopped(service.work_forever, ())


def _until_stopped(run: Callable[[Settings], None], refusals: tuple[type[Exception], ...]) -> None:
    settings = settings_or_end()
    try:
        run(settings)
    except Exception as raised:
        known = (
            EmbeddedServerRefused,
            DatabaseRefused,
            KeyRefused,
            Undecipherable,
            DatabaseIsNewer,
            *refusals,
        )
        if not isinstance(raised, known):
            raise
        end(Exit.REFUSED, str(raised))


def demo(
    once: Annotated[bool, typer.Option("--once", help="Run the whole day headless, then end.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="With --once: write the promises to this file.")
    ] = None,
    seeds: Annotated[str, typer.Option("--seeds", help="With --once: A:B, B not included.")] = "",
    speed: Annotated[
        float | None, typer.Option("--speed", min=0.1, help="Seconds of the day in one.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Keep the database here.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Where the console listens.")] = None,
) -> None:
    """Run a day on a simulated shop and three marketplaces; with --once exit code 0 means every promise held."""
    from interlock.demo import command

    given: dict[str, Any] = {"once": once, "json_file": json_file, "folder": folder}
    if seeds:
        try:
            given["seeds"] = command.seeds_of(seeds)
        except command.SeedsUnreadable as wrong:
            end(Exit.USAGE, str(wrong))
    if speed is not None:
        given["speed"] = speed
    if port is not None:
        given["port"] = port
    main: Callable[..., int] = command.main
    # Everything of note is told by the demo itself; lines of the service would stand in between.
    configure(level="warning", style="console" if sys.stderr.isatty() else "json")
    raise typer.Exit(main(**given))
