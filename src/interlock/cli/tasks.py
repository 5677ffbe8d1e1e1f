"""`interlock tasks …`: the refunds somebody has to make, approve or look at."""

from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.telling import AsJson, Exit, end, plain, print_json, say, table
from interlock.console import wording
from interlock.console.lists import Asked, FilterUnknown, choices
from interlock.console.refund_tasks import ABOUT_REFUNDS, RefundTaskRow, refund_tasks_page

commands = typer.Typer(
    no_args_is_help=True, help="Refund tasks: what has to be refunded, where and until when."
)


@commands.command("list")
def list_tasks(
    connection: Annotated[str, typer.Option("--connection", help="Only of this connection.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Only of this kind, by the code of its case.")] = "",
    late: Annotated[bool, typer.Option("--late", help="Only those whose due time is over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 200,
    as_json: AsJson = False,
) -> None:
    """List open refund tasks, the first due first: lines, amounts, taxes, and the commission that should come back."""
    known = [one.value for one in ABOUT_REFUNDS]
    if reason and reason not in known:
        end(Exit.USAGE, f"There is no refund task of the kind {reason!r}; there are: {', '.join(known)}.")
    asked = Asked("/refund-tasks", connection, "", "", (("reason", reason), ("late", "1" if late else "")))
    with opened() as installation:
        now = installation.clock.now()

        def read(c: Connection) -> list[RefundTaskRow]:
            choices(c, asked)
            return refund_tasks_page(c, asked, now, limit)[0]

        try:
            found = installation.tx(read)
        except FilterUnknown as wrong:
            end(Exit.NOT_FOUND, str(wrong))
        if as_json:
            print_json([plain(one) for one in found])
            return
        if not found:
            say("No refund waits.")
            return
        table(
            "",
            (
                "case",
                "due",
                "order",
                "connection",
                "what",
                "for the customer",
                "commission back",
                "reason code",
            ),
            (
                (
                    one.case_id,
                    wording.left(one.due_at, now),
                    one.mirakl_order_id,
                    one.connection,
                    one.title,
                    one.money(one.total),
                    one.money(one.commission),
                    ", ".join(one.reason_codes),
                )
                for one in found
            ),
        )
