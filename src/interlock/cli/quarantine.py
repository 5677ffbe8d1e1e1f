"""`interlock quarantine …`: whether anything may be written, and who said so."""

from typing import Annotated

import typer

from interlock.cli.installation import opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say
from interlock.console import wording
from interlock.engine import marks
from interlock.engine.store import all_connections
from interlock.quarantine import store

commands = typer.Typer(no_args_is_help=True, help="The quarantine: show, enter, leave.")
Why = Annotated[str, typer.Option("--why", help="The reason, kept with it.")]


@commands.command("show")
def show(as_json: AsJson = False) -> None:
    """Say whether anything may be written to the platforms; exit code 1 in a quarantine."""
    with opened() as installation:
        found = installation.tx(store.latest)
        if as_json:
            print_json({"quarantined": found is not None and found.open, "last": found})
        elif found is None:
            say("There never was a quarantine.")
        elif found.open:
            say(f"In quarantine since {wording.stamp(found.began_at)}: nothing is written. {found.because}")
        else:
            say(
                f"Not in quarantine. The last one ran from {wording.stamp(found.began_at)} to "
                f"{wording.stamp(found.ended_at)}; {found.ended_by} ended it: {found.ended_why}"
            )
        if found is not None and found.open:
            raise typer.Exit(int(Exit.NOT_WELL))


@commands.command("enter")
def enter(why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Stop every write to the platforms, for example right after a backup was restored."""
    _named(who, why)
    with opened() as installation:
        now = installation.clock.now()
        names = tuple(row.name for row in installation.tx(all_connections))
        if not names:
            end(
                Exit.REFUSED,
                "This database knows no connection, so nothing is ever written from it, and a service that runs works with "
                "another one. Run this where INTERLOCK_DATA_FOLDER or INTERLOCK_DATABASE_URL is what the service has. Nothing was changed.",
            )
        begun = installation.tx(lambda c: marks.enter(c, f"{who.strip()} began it: {why.strip()}", now))
        if not begun:
            end(Exit.REFUSED, "There is a quarantine already. Nothing was changed.")
        if as_json:
            print_json({"quarantined": True, "who": who, "why": why, "at": now, "connections": names})
        else:
            say(
                f"In quarantine: nothing is written to any platform for {', '.join(names)} until `interlock quarantine "
                "leave`."
            )


@commands.command("leave")
def leave(why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """End the quarantine: this database is the current one, and every other copy has been stopped."""
    _named(who, why)
    with opened() as installation:
        now = installation.clock.now()
        if not installation.tx(lambda c: marks.leave(c, who.strip(), why.strip(), now)):
            end(Exit.REFUSED, "There is no quarantine to end. Nothing was changed.")
        if as_json:
            print_json({"quarantined": False, "who": who, "why": why, "at": now})
        else:
            say(
                "Writing begins again. Every living order is read anew; where Shopify shows less than the marketplace, "
                "a case asks before anything is cancelled."
            )


def _named(who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        end(
            Exit.REFUSED,
            "A quarantine needs the name of who decides (--who) and a reason (--why). Nothing was changed.",
        )
