"""`interlock edits …`: what becomes of every kind of edit, straight from the rules."""

from typing import Annotated

import typer

from interlock.cli.telling import AsJson, Exit, end, print_json, say, table
from interlock.edits.proof import proof
from interlock.edits.table import ANSWERS, CHANGES, WITHOUT_CONSEQUENCE, Answer, Change

commands = typer.Typer(no_args_is_help=True, help="Edits: the rules that answer them.")


@commands.callback()
def edits() -> None:
    """Edits: the rules that answer them."""


@commands.command("table")
def show_table(
    change: Annotated[str, typer.Option("--change", help="Only this change, by its code.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print what becomes of every change in every situation, proved over all combinations.

    Ends with 1 when a combination has no answer or a rule is never reached, 3 for a change that does not exist.
    """
    if change and change not in set(Change):
        end(
            Exit.REFUSED,
            f"There is no change {change!r}. The changes are {', '.join(c.value for c in Change)}.",
        )
    found = proof()
    rows = [row for row in found.rules if change in ("", row.change)]
    if as_json:
        print_json(
            {
                "rules": rows,
                "combinations": found.combinations,
                "unanswered": found.unanswered,
                "unreachable_rules": found.unreachable_rules,
            }
        )
    else:
        for one in Change:
            shown = [row for row in rows if row.change == one.value]
            if shown:
                always = ", a fact: nothing looks for it" if one in WITHOUT_CONSEQUENCE else ""
                table(
                    f"\n{CHANGES[one]} ({one.value}{always})",
                    ("situation", "conditions", "answer", "why"),
                    (
                        (r.situation, "; ".join(r.conditions), ANSWERS[Answer(r.answer)], r.sentence)
                        for r in shown
                    ),
                )
        say(
            f"\n{found.combinations:,} combinations, {found.unanswered} without an answer, "
            f"{len(found.unreachable_rules)} rules never reached."
        )
    if found.unanswered or found.unreachable_rules:
        raise typer.Exit(int(Exit.NOT_WELL))
