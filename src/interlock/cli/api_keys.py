"""`interlock api-key …`: the keys of programs that use the API."""

from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.access.store import ApiKey, KeyRefused, Scope, all_keys, make_key, revoke_key
from interlock.api.application import description
from interlock.cli.installation import opened
from interlock.cli.telling import AsJson, Exit, Who, end, plain, print_json, say, table
from interlock.console import wording
from interlock.console.api_key_list import connections_named, names_in
from interlock.console.connections import connection_names

commands = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")
SCOPES = ", ".join(scope.value for scope in Scope)


@commands.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="What the key is for, such as warehouse.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help=f"What it may do; repeat it: {SCOPES}.")
    ] = None,
    connection: Annotated[
        list[str] | None,
        typer.Option(
            "--connection", help="At which connection it opens that; repeat it; else at all there are."
        ),
    ] = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and show its secret, once."""
    with opened() as installation:
        now = installation.clock.now()

        def make(c: Connection) -> tuple[ApiKey, str, list[str]]:
            names = connection_names(c)
            numbers = connections_named(names, connection or [])
            made, secret = make_key(c, name, scope or [], who, now, connections=numbers)
            return made, secret, names_in(names, made.connections)

        try:
            key, token, places = installation.tx(make)
        except KeyRefused as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json({"key": {**plain(key), "connections": places}, "token": token})
            return
        at = f" at {', '.join(places)}" if places else ""
        say(f"Key {key.id} for {key.name} may do{at}: {', '.join(key.scopes)}.")
        say("This is its only appearance; keep it where the program reads its secrets:")
        typer.echo(token)


@commands.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, how often each was used, and which were revoked."""
    with opened() as installation:
        now = installation.clock.now()
        found, names = installation.tx(lambda c: (all_keys(c), connection_names(c)))
        if as_json:
            print_json([{**plain(key), "connections": names_in(names, key.connections)} for key in found])
            return
        table(
            "",
            ("key", "name", "scopes", "connections", "made by", "calls", "last used", ""),
            (
                (
                    key.id,
                    key.name,
                    ", ".join(key.scopes),
                    ", ".join(names_in(names, key.connections)) or "all",
                    f"{key.created_by}, {wording.stamp(key.created_at)}",
                    key.calls,
                    wording.ago(key.last_used_at, now),
                    f"revoked by {key.revoked_by}, {wording.stamp(key.revoked_at)}" if key.revoked_at else "",
                )
                for key in found
            ),
        )


@commands.command("revoke")
def revoke(
    key_id: Annotated[int, typer.Argument(help="The key's number, as `api-key list` shows it.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Make a key unusable for ever."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            key, names = installation.tx(lambda c: (revoke_key(c, key_id, who, now), connection_names(c)))
        except KeyRefused as refused:
            end(Exit.REFUSED, str(refused))
        if key is None:
            end(Exit.NOT_FOUND, f"There is no API key {key_id}. Nothing was changed.")
        if as_json:
            print_json({**plain(key), "connections": names_in(names, key.connections)})
            return
        say(f"Key {key.id} ({key.name}) opens nothing any more.")


def openapi() -> None:
    """Print the OpenAPI document of the API under /v1. It needs neither an installation nor a key."""
    print_json(description())
