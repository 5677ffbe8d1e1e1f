"""`interlock pause …`: stopping one flow of a connection for a while, and letting it go on."""

from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import Name, connection_or_end
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import flows, wording
from interlock.engine.store import all_connections
from interlock.orders.connection import FLOWS, FLOWS_OF_ORDERS, Pause

commands = typer.Typer(no_args_is_help=True, help="Pauses of one flow of a connection: list, start, end.")
FlowName = Annotated[str, typer.Argument(metavar="FLOW", help=f"One of {', '.join(FLOWS)}.")]


@commands.command("list")
def list_pauses(as_json: AsJson = False) -> None:
    """List the pauses of every connection that last now; exit code 1 while one of them does harm."""
    with opened() as installation:
        now = installation.clock.now()

        def read(c: Connection) -> tuple[tuple[str, Pause], ...]:
            return tuple(
                (row.name, pause)
                for row in all_connections(c)
                for flow in FLOWS
                if (pause := row.rules.paused(flow, now)) is not None
            )

        found = installation.tx(read)
        if as_json:
            print_json([{"connection": name, "pause": pause} for name, pause in found])
        elif not found:
            say("No flow is paused.")
        else:
            table(
                "Pauses",
                ("connection", "flow", "since", "until", "by", "why"),
                (
                    (
                        name,
                        pause.flow,
                        wording.stamp(pause.since),
                        wording.stamp(pause.until),
                        pause.who,
                        pause.why,
                    )
                    for name, pause in found
                ),
            )
        if any(pause.flow in flows.LOUD for _, pause in found):
            raise typer.Exit(int(Exit.NOT_WELL))


@commands.command("start")
def start_pause(
    connection: Name,
    flow: FlowName,
    minutes: Annotated[
        str, typer.Option("--minutes", help=f"How long: {', '.join(str(n) for n, _ in flows.CHOICES)}.")
    ] = "",
    why: Annotated[str, typer.Option("--why", help="The reason; whoever meets the pause reads it.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Pause one flow of a connection from now on, instead of a pause it has; everything else goes on."""
    name = _named(who)
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        try:
            pause = installation.tx(
                lambda c: flows.pause_flow(
                    c, installation.queue, row.id, flow, minutes, name, why.strip(), now
                )
            )
        except flows.PauseRefused as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json(pause)
            return
        say(f"{pause.flow.capitalize()} of {row.name} is paused until {wording.stamp(pause.until)}.")
        say(flows.CONSEQUENCES[pause.flow])


@commands.command("end")
def end_pause(connection: Name, flow: FlowName, who: Who = "", as_json: AsJson = False) -> None:
    """End the pause of a flow; every order that waited for it is looked at."""
    name = _named(who)
    with opened() as installation:
        row, now = connection_or_end(installation, connection), installation.clock.now()
        try:
            number = installation.tx(
                lambda c: flows.resume_flow(c, installation.queue, row.id, flow, name, now)
            )
        except flows.PauseRefused as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json({"connection": row.name, "flow": flow, "orders": number})
            return
        looked_at = (
            f"looked at: {wording.counted(number, 'waiting order')}"
            if flow in FLOWS_OF_ORDERS
            else "the next file carries what has changed"
        )
        say(f"{flow.capitalize()} of {row.name} goes on; {looked_at}.")


def _named(who: str) -> str:
    if not who.strip():
        end(Exit.REFUSED, "A pause needs the name of who begins or ends it (--who). Nothing was changed.")
    return who.strip()
