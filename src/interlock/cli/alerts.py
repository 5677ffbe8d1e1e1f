"""`interlock alerts …`: channels, routes, what was told, tests, acknowledgements."""

import asyncio
import sys
from typing import Annotated

import httpx2
import typer

from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import wording
from interlock.monitoring import channels as room
from interlock.monitoring import outbox
from interlock.monitoring.channels import ChannelRefused
from interlock.monitoring.duty import Alerting
from interlock.monitoring.routing import HoursUnreadable
from interlock.monitoring.sending import check_url
from interlock.settings import console_address
from interlock.storage.database import ThreadStore

commands = typer.Typer(no_args_is_help=True, help="Alerts: channels, routes, list, test, ack.")
channels = typer.Typer(help="Where alerts go; without a verb, the list.", invoke_without_command=True)
routes = typer.Typer(help="Which alerts go where; without a verb, the list.", invoke_without_command=True)
commands.add_typer(channels, name="channels")
commands.add_typer(routes, name="routes")


@channels.callback()
def list_channels(context: typer.Context, as_json: AsJson = False) -> None:
    """List the channels; an address is only shown masked."""
    if context.invoked_subcommand is not None:
        return
    with opened() as installation:
        found = installation.tx(room.all_channels)
        if as_json:
            print_json(found)
            return
        names = {channel.id: channel.name for channel in found}
        table(
            "",
            ("channel", "kind", "address", "zone", "second", "made by"),
            ((c.name, c.kind, c.masked, c.zone, names.get(c.second_id or 0, ""), c.made_by) for c in found),
        )


@channels.command("add")
def add_channel(
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    kind: Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(room.KINDS)}.")] = "chat",
    url: Annotated[
        str,
        typer.Option(
            "--url",
            envvar="ALERT_CHANNEL_URL",
            help="The address as Apprise writes it; `-` reads it from standard input, so that no shell keeps it.",
        ),
    ] = "-",
    zone: Annotated[
        str, typer.Option("--zone", help="Time zone of who reads it, such as Europe/Berlin.")
    ] = "UTC",
    second: Annotated[str, typer.Option("--second", help="The channel used when this one fails.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Add a channel. Its address is kept encrypted and never shown again."""
    given = sys.stdin.readline().strip() if url == "-" else url.strip()
    with opened() as installation:
        now = installation.clock.now()
        try:
            check_url(kind, given)
            made = installation.tx(
                lambda c: room.add_channel(
                    c, installation.keyring, name, kind, given, who, now, zone=zone, second=second
                )
            )
        except ChannelRefused as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json(made)
            return
        say(f"Channel {made.name} ({made.kind}) is kept. Test it with `interlock alerts test {made.name}`.")


@channels.command("remove")
def remove_channel(
    name: Annotated[str, typer.Argument(help="The channel's name.")], who: Who = "", as_json: AsJson = False
) -> None:
    """Remove a channel, its routes and its address."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            gone = installation.tx(lambda c: room.remove_channel(c, name, who, now))
        except ChannelRefused as refused:
            end(Exit.NOT_FOUND, str(refused))
        if as_json:
            print_json(gone)
            return
        say(f"Channel {gone.name} is removed.")


@routes.callback()
def list_routes(context: typer.Context, as_json: AsJson = False) -> None:
    """List the routes."""
    if context.invoked_subcommand is not None:
        return
    with opened() as installation:
        found = installation.tx(room.route_rows)
        if as_json:
            print_json(found)
            return
        table(
            "",
            ("route", "channel", "team", "severity", "connection", "hours"),
            (
                (
                    r.id,
                    r.channel,
                    r.team or "any",
                    r.severity or "any",
                    r.connection or "any",
                    r.hours or "always",
                )
                for r in found
            ),
        )


@routes.command("add")
def add_route(
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    team: Annotated[
        str, typer.Option("--team", help="CX, operations, finance or engineer; unset: any.")
    ] = "",
    severity: Annotated[str, typer.Option("--severity", help="page, message or ticket; unset: any.")] = "",
    connection: Annotated[str, typer.Option("--connection", help="One connection; unset: any.")] = "",
    hours: Annotated[
        str,
        typer.Option(
            "--hours", help="When messages may come, such as `mon-fri 08:00-18:00`. Pages always come."
        ),
    ] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Send alerts like this to a channel."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            made = installation.tx(
                lambda c: room.add_route(
                    c, channel, who, now, team=team, severity=severity, connection=connection, hours=hours
                )
            )
        except (ChannelRefused, HoursUnreadable) as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json({"route": made})
            return
        say(f"Route {made} leads to {channel}.")


@routes.command("remove")
def remove_route(
    route: Annotated[int, typer.Argument(help="The route's number.")], who: Who = "", as_json: AsJson = False
) -> None:
    """Take a route away."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            gone = installation.tx(lambda c: room.remove_route(c, route, who, now))
        except ChannelRefused as refused:
            end(Exit.REFUSED, str(refused))
        if not gone:
            end(Exit.NOT_FOUND, f"There is no route {route}. Nothing was changed.")
        if as_json:
            print_json({"removed": route})
            return
        say(f"Route {route} is gone.")


@commands.command("list")
def list_alerts(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was told, to which channel, and how that ended."""
    with opened() as installation:
        now = installation.clock.now()
        found = installation.tx(lambda c: outbox.latest_alerts(c, limit))
        if as_json:
            print_json(found)
            return
        table(
            "",
            ("alert", "when", "severity", "connection", "what", "number", "told", "acknowledged"),
            (
                (
                    row.id,
                    wording.ago(row.at, now),
                    row.alert.severity,
                    row.alert.connection,
                    row.alert.title,
                    row.alert.count,
                    ", ".join(f"{name} {state.lower()}" for name, state, _, _ in row.deliveries) or "nobody",
                    row.acknowledged_by,
                )
                for row in found
            ),
        )


@commands.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="The channel's name.")], as_json: AsJson = False
) -> None:
    """Send a message that only says that the channel works; exit code 5 when the channel did not take it."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            found = installation.tx(lambda c: room.channel_named(c, channel))
        except ChannelRefused as refused:
            end(Exit.NOT_FOUND, str(refused))
        delivery = installation.tx(lambda c: outbox.plan_test(c, found, now))
        ended = asyncio.run(_tried(installation, delivery))
        if as_json:
            print_json(ended)
        elif ended.state == "SENT":
            say(f"{found.name} took the message.")
        else:
            say(f"{found.name} did not take the message: {ended.words or 'it is still under way'}.")
        if ended.state != "SENT":
            raise typer.Exit(int(Exit.UNREACHABLE))


async def _tried(installation: Installation, delivery: int) -> outbox.ChannelTest:
    """How the test ended. A running service may have been quicker to take it up, so it is waited for a moment."""
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        alerting = Alerting(
            ThreadStore(installation.database),
            installation.clock,
            installation.keyring,
            console_address(installation.settings),
            lambda origin: client,
        )
        await alerting.send_one(delivery)
    for _ in range(60):
        found = next(test for test in installation.tx(outbox.latest_tests) if test.id == delivery)
        if found.state not in ("PLANNED", "SENDING"):
            break
        await installation.clock.sleep(0.25)
    return found


@commands.command("ack")
def acknowledge(
    alert: Annotated[int, typer.Argument(help="The alert's number, as `alerts list` shows it.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say that somebody has seen the alert: it is not repeated."""
    with opened() as installation:
        now = installation.clock.now()
        if not who.strip():
            end(
                Exit.REFUSED,
                "An acknowledgement needs the name of who gives it (--who). Nothing was changed.",
            )
        row = installation.tx(lambda c: outbox.acknowledge(c, alert, who, now))
        if row is None:
            end(Exit.NOT_FOUND, f"There is no alert {alert}. Nothing was changed.")
        if as_json:
            print_json(row)
            return
        say(f"Alert {alert} is acknowledged by {row.acknowledged_by}.")
