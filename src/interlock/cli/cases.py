"""`interlock cases …`: what a person must look at, the answers, and the catalogue of reasons."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.access.audit_log import Asking, asking
from interlock.access.roles import PERMISSION_WORDS, answers_for, may
from interlock.access.store import KeyRefused, Scope, proven
from interlock.cases import work
from interlock.cases.catalogue import entries, entry_of
from interlock.cases.replays import Progress, latest, progress
from interlock.cases.store import NEEDS_A_PERSON, CannotAnswer, latest_answer
from interlock.cases.work import NoSuchCase, NotDone, checked_words, history
from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, plain, print_json, say, table
from interlock.clock import SystemIdentifiers
from interlock.console import desk, hands, wording
from interlock.console.case_list import NOBODY, SEVERITIES, STATUSES, CaseRow, cases_page, one_case
from interlock.console.case_list import causes as causes_there
from interlock.console.case_story import story_of
from interlock.console.lists import Asked, FilterUnknown, choices
from interlock.console.oversold import as_offered
from interlock.engine.replays import replay_all
from interlock.orders.reasons import FOR_A_WHOLE_CAUSE, Reason

commands = typer.Typer(
    no_args_is_help=True,
    help="Cases: list, show, assign, snooze, comment, answer; causes and their replays; the catalogue of reasons.",
)
CaseNumber = Annotated[int, typer.Argument(help="The number of the case.")]


@commands.command("list")
def list_cases(
    team: Annotated[str, typer.Option("--team", help="Only cases of this team.")] = "",
    connection: Annotated[str, typer.Option("--connection", help="Only cases of this connection.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Only cases of this reason, by its code.")] = "",
    status: Annotated[
        str,
        typer.Option(
            "--status", help="mine, open, in progress, snoozed or closed; else all that do not rest."
        ),
    ] = "",
    severity: Annotated[
        str, typer.Option("--severity", help=f"Only cases of this severity: {', '.join(SEVERITIES)}.")
    ] = "",
    assignee: Annotated[
        str,
        typer.Option("--assignee", help=f"Only cases that this person has; {NOBODY} for those nobody has."),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 200,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """List open cases, what does damage first at the top, then the most money."""
    if status not in STATUSES:
        end(Exit.USAGE, f"There is no status {status!r}; there are: {', '.join(STATUSES[1:])}.")
    own = (("status", status), ("reason", reason), ("severity", severity), ("assignee", assignee))
    asked = Asked("/cases", connection, team, "", own)
    with opened() as installation:
        now = installation.clock.now()

        def read(c: Connection) -> list[CaseRow]:
            choices(c, asked)
            return cases_page(c, asked, who, now, limit)[0]

        try:
            found = installation.tx(read)
        except FilterUnknown as wrong:
            end(Exit.NOT_FOUND, str(wrong))
        if as_json:
            print_json([_with_status(one, now) for one in found])
            return
        table(
            "",
            ("case", "severity", "damage", "at risk", "order", "connection", "what", "team", "status", "who"),
            (
                (
                    one.id,
                    one.severity,
                    wording.left(one.damage_at, now),
                    one.money,
                    one.order_name,
                    one.connection,
                    one.title,
                    one.owner,
                    one.status(now),
                    one.assignee,
                )
                for one in found
            ),
        )


def _with_status(row: CaseRow, now: datetime) -> dict[str, object]:
    return {**plain(row), "status": row.status(now)}


@commands.command("show")
def show(case_id: CaseNumber, as_json: AsJson = False) -> None:
    """Show one case with its history, what may be answered to it, and what each answer does."""
    with opened() as installation:
        found, last = installation.tx(lambda c: (one_case(c, case_id), latest_answer(c, case_id)))
        if found is None:
            end(Exit.NOT_FOUND, f"There is no case {case_id}.")
        now = installation.clock.now()
        case = found
        found = installation.tx(lambda c: as_offered(c, case, now))
        events = installation.tx(lambda c: history(c, case_id))
        told = tuple(story_of(events, installation.keyring))
        if as_json:
            entry = entry_of(Reason(found.reason))
            print_json({**_with_status(found, now), "history": told, "catalogue": entry})
            return
        say(f"Case {found.id}: {found.title} ({found.severity}, {found.owner}, {found.status(now)})")
        say(found.sentence)
        if found.damage_at is not None:
            at_risk = f", {found.money} at risk" if found.money else ""
            say(f"Damage: {wording.stamp(found.damage_at)} ({wording.left(found.damage_at, now)}){at_risk}")
        if found.assignee:
            say(f"With: {found.assignee}")
        if found.facts:
            table("", ("fact", "value"), wording.facts_in_words(found.facts))
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
        table(
            "\nHistory",
            ("at", "who", "what", "in their words"),
            ((wording.stamp(entry.at), entry.who, entry.sentence, entry.words) for entry in told),
        )


def _proven(installation: Installation, token: str, case: CaseRow) -> str:
    """The handle of whose key this is, who may answer the case; or the end of the command."""
    try:
        now = installation.clock.now()
        person = installation.tx(lambda c: proven(c, token, Scope.CASES_ANSWER, now))
    except KeyRefused as refused:
        end(Exit.REFUSED, str(refused))
    needed = answers_for(case.owner)
    if not may(person, needed, case.connection_id):
        end(
            Exit.REFUSED,
            f"{person.handle} does not have the right to {PERMISSION_WORDS[needed]}. Nothing was changed.",
        )
    asking.set(Asking(person.handle, "command line", "interlock cases answer", None))
    return person.handle


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
    key_file: Annotated[
        typer.FileText | None,
        typer.Option(
            "--key-file",
            help="File with your personal API key, - for standard input: proves who you are. Approving a refund needs it.",
        ),
    ] = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Answer a case; the order is looked at again because of it."""
    with opened() as installation:
        now = installation.clock.now()
        case = installation.tx(lambda c: one_case(c, case_id))
        if case is None:
            end(Exit.NOT_FOUND, f"There is no case {case_id}. Nothing was changed.")
        if key_file is not None:
            who = _proven(installation, key_file.read(1000), case)
        elif option in NEEDS_A_PERSON:
            end(
                Exit.REFUSED,
                "A refund is approved by people, and anybody could have typed this name. Show a key that you made in your "
                "own name, on the page Your keys of the console: --key-file. Nothing was changed.",
            )
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


# -- cases as work -----------------------------------------------------------------------------------------


def _do(case_id: int, as_json: bool, done: str, act: Callable[[Connection, Installation], None]) -> None:
    """Do something to one case; every refusal ends the command with its sentence."""
    with opened() as installation:
        try:
            installation.tx(lambda c: act(c, installation))
        except NoSuchCase as missing:
            end(Exit.NOT_FOUND, str(missing))
        except NotDone as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            found, now = installation.tx(lambda c: one_case(c, case_id)), installation.clock.now()
            print_json(None if found is None else _with_status(found, now))
            return
        say(done)


@commands.command("assign")
def assign(
    case_id: CaseNumber,
    to: Annotated[str, typer.Argument(help="Who shall have it, by the sign-in name; - for nobody.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Give a case to somebody, or back to the team."""
    name = "" if to == "-" else to

    def act(c: Connection, installation: Installation) -> None:
        hands.give(c, case_id, name, who, installation.clock.now())

    _do(case_id, as_json, f"Case {case_id} is with {name or 'nobody'} now.", act)


@commands.command("begin")
def begin(case_id: CaseNumber, who: Who = "", as_json: AsJson = False) -> None:
    """Take a case and work on it; where there are accounts, by the sign-in name."""

    def act(c: Connection, installation: Installation) -> None:
        hands.begin(c, case_id, who, installation.clock.now())

    _do(case_id, as_json, f"{who} is working on case {case_id}.", act)


@commands.command("snooze")
def snooze(
    case_id: CaseNumber,
    hours: Annotated[float, typer.Option("--hours", min=0, max=1000, help="How long it rests; 0 wakes it.")],
    why: Annotated[str, typer.Option("--why", help="The reason, kept with it.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Let a case rest, with a reason and an end; never beyond the moment at which it does damage."""

    def act(c: Connection, installation: Installation) -> None:
        now = installation.clock.now()
        if hours == 0:
            work.wake(c, case_id, who, now)
            return
        words = installation.keyring.encrypt(checked_words(why, "The reason").encode())
        work.snooze(c, case_id, now + timedelta(hours=hours), who, words, now)

    done = f"Case {case_id} rests for {hours:g} h." if hours else f"Case {case_id} is awake."
    _do(case_id, as_json, done, act)


@commands.command("comment")
def comment(
    case_id: CaseNumber,
    words: Annotated[str, typer.Argument(help="What shall be remembered; kept encrypted.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Write something to a case."""

    def act(c: Connection, installation: Installation) -> None:
        sealed = installation.keyring.encrypt(checked_words(words, "The comment").encode())
        work.comment(c, case_id, who, sealed, installation.clock.now())

    _do(case_id, as_json, f"Kept with case {case_id}.", act)


# -- causes ------------------------------------------------------------------------------------------------


@commands.command("causes")
def causes(
    connection: Annotated[str, typer.Option("--connection", help="Only of this connection.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what stops several orders together, and how many one answer would free."""
    with opened() as installation:
        now = installation.clock.now()
        found = installation.tx(lambda c: causes_there(c, now, connection))
        if as_json:
            print_json(
                [
                    {
                        "case": one.first.id,
                        "reason": one.first.reason,
                        "connection": one.first.connection,
                        "cause": one.first.cause,
                        "orders": one.count,
                        "damage_at": one.first.damage_at,
                        "at_risk": one.at_risk,
                        "currency": one.first.currency,
                        "options": one.first.options,
                    }
                    for one in found
                ]
            )
            return
        table(
            "",
            ("case", "orders", "damage", "at risk", "connection", "what", "cause"),
            (
                (
                    one.first.id,
                    one.count,
                    wording.left(one.first.damage_at, now),
                    one.money,
                    one.first.connection,
                    one.first.title,
                    one.first.shared_name or one.first.cause,
                )
                for one in found
            ),
        )


@commands.command("replay")
def replay(
    case_id: CaseNumber,
    option: Annotated[
        str,
        typer.Option(
            "--answer",
            help="Give this answer to every case of the cause, and have their orders looked at because of it: "
            f"{' or '.join(FOR_A_WHOLE_CAUSE)}.",
        ),
    ] = "",
    why: Annotated[str, typer.Option("--why", help="The reason, kept with the answers.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only say how many orders it frees.")
    ] = False,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Have every order of a case's cause looked at again, a few at a time; first say how many."""
    if option and option not in FOR_A_WHOLE_CAUSE:
        end(
            Exit.USAGE,
            f"Only {' and '.join(FOR_A_WHOLE_CAUSE)} can be answered to a whole cause; a mapping is made with `carriers map`.",
        )
    with opened() as installation:
        now = installation.clock.now()
        found = installation.tx(lambda c: one_case(c, case_id))
        if found is None:
            end(Exit.NOT_FOUND, f"There is no case {case_id}. Nothing was changed.")
        case = found
        try:
            cause = desk.cause_of_case(case)
            every = installation.tx(lambda c: desk.for_all(c, case, who))
        except NotDone as refused:
            end(Exit.REFUSED, str(refused))
        if option and (every is None or every.option != option):
            end(
                Exit.REFUSED,
                f"Case {case_id} does not offer {option!r} for its whole cause. Nothing was changed.",
            )
        waiting = installation.tx(lambda c: desk.unlocked_by(c, cause)).orders
        orders = every.open.orders if every is not None and option else waiting
        left_out = every.open.left_out if every is not None and option else 0
        said = (
            f" Left out: {wording.counted(left_out, 'case')} that somebody else has answered otherwise."
            if left_out
            else ""
        )
        if not yes:
            if as_json:
                print_json({"orders": orders, "left_out": left_out, "replay": None})
                return
            say(f"Waiting for “{cause.name}”: {wording.counted(waiting, 'order')}.")
            if every is not None and not option:
                say(
                    f"Looking at them again changes nothing: they wait for an answer. Give it with --answer {every.option}."
                )
            elif option:
                say(f"{wording.counted(orders, 'order')} would be answered.{said} Add --yes to answer them.")
            else:
                say("Add --yes to have them looked at again.")
            return

        def act(c: Connection) -> int | None:
            if option:
                return desk.answer_cause(c, installation.queue, case, option, who, why, now)
            return replay_all(
                c, installation.queue, cause.connection_id, cause.reason, (cause.name,), who, now
            )

        try:
            number = installation.tx(act)
        except NotDone as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json({"orders": orders, "left_out": left_out, "replay": number})
            return
        if number is None:
            say("No order waits for it any more. Nothing was changed.")
            return
        done = "Answered and looked at again" if option else "Looked at again"
        say(
            f"{done}: {wording.counted(orders, 'order')}. Follow them with `interlock cases progress {number}`."
        )


@commands.command("progress")
def show_progress(
    replay_id: Annotated[int, typer.Argument(help="The number of the replay; 0 for the last ones.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say how far replays are: done, waiting, and still blocked and why."""
    with opened() as installation:
        now = installation.clock.now()
        if not replay_id:
            found: list[Progress] = installation.tx(lambda c: latest(c, now))
        else:
            one = installation.tx(lambda c: progress(c, replay_id, now))
            if one is None:
                end(Exit.NOT_FOUND, f"There is no replay {replay_id}.")
            found = [one]
        if as_json:
            print_json(found if not replay_id else found[0])
            return
        table(
            "",
            ("replay", "cause", "by", "orders", "done", "waiting", "under way", "late", "still blocked"),
            (
                (
                    one.id,
                    one.cause,
                    one.who,
                    one.total,
                    one.done,
                    one.waiting,
                    one.under_way,
                    one.late,
                    one.blocked,
                )
                for one in found
            ),
        )
        for one in found:
            if one.late:
                say(
                    f"{wording.counted(one.late, 'order')} of replay {one.id}: their turn came, and no look at them has ended since that could read Shopify. "
                    "They are tried again by themselves."
                )
            if one.slowed:
                say(
                    f"Replay {one.id}: ten or more in a row are late, so the next ones are tried one by one, every quarter of an hour, "
                    "until a look at one of them ends."
                )
            for sentence, number in one.why:
                say(f"{number} × {sentence}")
