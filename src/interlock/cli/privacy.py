"""`interlock privacy …`: what the shop asked to be erased or handed out, and that it was done."""

import json
from typing import Annotated

import typer

from interlock.access import erasures
from interlock.access.erasures import NoSuchRequest
from interlock.cli.installation import opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import wording

commands = typer.Typer(no_args_is_help=True, help="Requests about personal data: list, show, done.")
Number = Annotated[int, typer.Argument(help="The number of the request, as `privacy list` shows it.")]


@commands.command("list")
def list_requests(as_json: AsJson = False) -> None:
    """List the requests of shops to erase or to hand out personal data, and until when each has to be answered."""
    with opened() as installation:
        found = installation.tx(erasures.requests)
        if as_json:
            print_json(found)
            return
        table(
            "",
            ("request", "shop", "asks for", "asked", "answer by", ""),
            (
                (
                    one.id,
                    one.shop,
                    one.topic,
                    wording.stamp(one.asked_at),
                    wording.stamp(one.due_at),
                    f"done by {one.done_by}, {wording.stamp(one.done_at)}" if one.done_at else "waits",
                )
                for one in found
            ),
        )


@commands.command("show")
def show_request(number: Number, who: Who = "") -> None:
    """Show whom a request is about, as the shop sent it; looking is kept in the audit log."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            body = installation.tx(lambda c: erasures.reveal(c, number, who, now))
        except NoSuchRequest as refused:
            end(Exit.NOT_FOUND, str(refused))
        print_json(json.loads(installation.keyring.decrypt(body)))


@commands.command("done")
def request_done(number: Number, who: Who = "") -> None:
    """Say that what a request asks for was done; whom it was about is forgotten."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            installation.tx(lambda c: erasures.answered(c, number, who, now))
        except NoSuchRequest as refused:
            end(Exit.NOT_FOUND, str(refused))
        say(f"Request {number} was answered by {who}.")
