"""`interlock cases …`: what a person must look at, the answers, and the catalogue of reasons."""

from typing import Annotated

import typer

from interlock.cases.catalogue import entries
from interlock.cases.store import CannotAnswer, latest_answer
from interlock.cli.installation import opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.clock import SystemIdentifiers
from interlock.console import desk, wording
from interlock.console.case_list import case_queue, one_case

commands = typer.Typer(no_args_is_help=True, help="Cases: list, show, answer, and the catalogue of reasons.")
CaseNumber = Annotated[int, typer.Argument(help="The number of the case.")]


@commands.command("list")
def list_cases(as_json: AsJson = False) -> None:
    """List open cases, what does damage first at the top."""
    with opened() as installation:
        now = installation.clock.now()
        found = installation.tx(case_queue)
        if as_json:
            print_json(found)
            return
        table(
            "",
            ("case", "severity", "due", "order", "connection", "what", "owner"),
            (
                (
                    one.id,
                    one.severity,
                    wording.left(one.due_at, now),
                    one.order_name,
                    one.connection,
                    one.title,
                    one.owner,
                )
                for one in found
            ),
        )


@commands.command("show")
def show(case_id: CaseNumber, as_json: AsJson = False) -> None:
    """Show one case with what may be answered to it, and what each answer does."""
    with opened() as installation:
        found, last = installation.tx(lambda c: (one_case(c, case_id), latest_answer(c, case_id)))
        if found is None:
            end(Exit.NOT_FOUND, f"There is no case {case_id}.")
        if as_json:
            print_json(found)
            return
        say(f"Case {found.id}: {found.title} ({found.severity}, {found.owner})")
        say(found.sentence)
        if found.facts:
            table("", ("fact", "value"), found.facts)
        if found.closed_at is not None:
            say(f"Settled {wording.stamp(found.closed_at)}: {found.closed_because}")
        elif found.answered_by:
            say(f"{found.answered_by} has answered; the next look takes it up.")
        else:
            if last is not None:
                say(f"{last.who} answered with {last.option} at {wording.stamp(last.at)} (answer {last.id}).")
            table(
                "\nOptions",
                ("option", "what it does"),
                ((option, wording.option_consequence(option)) for option in found.options),
            )


@commands.command("answer")
def answer(
    case_id: CaseNumber,
    option: Annotated[str, typer.Argument(help="One of the case's options, as `cases show` lists them.")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the answer.")] = "",
    text_file: Annotated[
        typer.FileText | None,
        typer.Option(
            "--text-file",
            help="File with the message to the customer, - for standard input; only for options that send one.",
        ),
    ] = None,
    instead_of: Annotated[
        int | None,
        typer.Option("--instead-of", help="The answer of somebody else that yours replaces, by its number."),
    ] = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Answer a case; the order is looked at again because of it."""
    with opened() as installation:
        now = installation.clock.now()
        if installation.tx(lambda c: one_case(c, case_id)) is None:
            end(Exit.NOT_FOUND, f"There is no case {case_id}. Nothing was changed.")
        text = "" if text_file is None else text_file.read(desk.LONGEST_TEXT)
        message = desk.written(text, SystemIdentifiers(), installation.keyring)
        try:
            installation.tx(
                lambda c: desk.answer_case(
                    c, installation.queue, case_id, option, who, why, now, message, instead_of
                )
            )
        except CannotAnswer as refused:
            installation.tx(lambda c: desk.count_refused_answer(c, option))
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json({"case": case_id, "option": option, "who": who, "why": why, "at": now})
            return
        say(f"Kept: {who} answered case {case_id} with {option}.")


@commands.command("catalogue")
def catalogue(as_json: AsJson = False) -> None:
    """List every reason a person can be asked about: who owns it, when it costs what, and what may be answered."""
    found = entries()
    if as_json:
        print_json(found)
        return
    table(
        "",
        ("code", "title", "kind", "owner", "severity", "handled by", "damage", "answers"),
        (
            (
                one.code,
                one.title,
                one.kind,
                one.owner,
                one.severity,
                one.handled_by,
                one.damage.when
                if one.damage.after_hours is None
                else f"{one.damage.after_hours:g} h {one.damage.when}",
                ", ".join(one.options),
            )
            for one in found
        ),
    )
