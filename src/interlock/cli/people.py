"""`interlock people …` and `interlock audit-log …`: who may sign in, and what was done."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.access import administration, people
from interlock.access.audit_log import Wanted, found, verify
from interlock.access.people import Account, PersonRefused, parsed_roles
from interlock.access.roles import Role
from interlock.cli.installation import Installation, opened
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say, table
from interlock.console import hands, wording
from interlock.console.connections import connection_names

commands = typer.Typer(
    no_args_is_help=True, help="The people who may sign in: list, add, roles, link, deactivate."
)
audit = typer.Typer(no_args_is_help=True, help="The audit log: list, verify.")
Handle = Annotated[str, typer.Argument(help="The person's sign-in name.")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help=f"A role, or role@connection for one only; repeat it: {', '.join(role.value for role in Role)}.",
    ),
]


@commands.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List who may sign in, with roles; names and e-mail addresses are shown on the page People only."""
    with opened() as installation:
        now = installation.clock.now()
        everybody, names = installation.tx(
            lambda c: (people.accounts(c, installation.keyring), connection_names(c))
        )
        if as_json:
            print_json([_shown(account, names) for account in everybody])
            return
        table(
            "",
            ("sign-in name", "roles", "second factor", "last signed in", ""),
            (
                (
                    account.handle,
                    administration.in_words(account.grants, names),
                    "yes"
                    if account.has_second_factor
                    else "at the provider"
                    if account.from_outside
                    else "no",
                    wording.ago(account.signed_in_at, now),
                    "" if account.active else "deactivated",
                )
                for account in everybody
            ),
        )


@commands.command("add")
def add(
    handle: Handle,
    name: Annotated[str, typer.Option("--name", help="The person's name.")] = "",
    email: Annotated[str, typer.Option("--email", help="How the person is reached.")] = "",
    role: Roles = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Make an account and print the link by which its person begins; it works once."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection) -> tuple[int, str]:
            names = connection_names(c)
            roles = parsed_roles(role or (), {name: number for number, name in names.items()})
            return administration.invite(
                c, installation.keyring, handle, name, email, roles, names, _named(who), now
            )

        try:
            number, link = installation.tx(work)
        except PersonRefused as refused:
            end(Exit.REFUSED, str(refused))
        _tell_link(installation, number, link, as_json)


@commands.command("link")
def link(handle: Handle, who: Who = "", as_json: AsJson = False) -> None:
    """Print a new link by which the person sets a password; former ones end."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection, account: Account) -> str:
            return administration.new_link(c, account.id, _named(who), now)

        account, made = _changed(installation, handle, work)
        _tell_link(installation, account.id, made, as_json)


@commands.command("roles")
def roles(handle: Handle, role: Roles = None, who: Who = "", as_json: AsJson = False) -> None:
    """Give the person exactly these roles; without one, none. They count from the next click on."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection, account: Account) -> str:
            names = connection_names(c)
            wanted = parsed_roles(role or (), {name: number for number, name in names.items()})
            administration.change_roles(c, account.id, wanted, names, _named(who), now)
            hands.give_back(c, account.id, _named(who), now)
            return administration.in_words(wanted, names)

        account, made = _changed(installation, handle, work)
        _tell(installation, account, f"{account.handle} has these roles now: {made}.", as_json)


@commands.command("deactivate")
def deactivate(handle: Handle, who: Who = "", as_json: AsJson = False) -> None:
    """End the person's sessions, let them sign in no more, and give their open cases back to the teams."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection, account: Account) -> str:
            hands.deactivate(c, account.id, _named(who), now)
            return ""

        account, _ = _changed(installation, handle, work)
        _tell(
            installation,
            account,
            f"{account.handle} cannot sign in any more; every session was ended, and open cases they had are with "
            "their teams again.",
            as_json,
        )


@commands.command("reactivate")
def reactivate(handle: Handle, who: Who = "", as_json: AsJson = False) -> None:
    """Let a deactivated person sign in again."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection, account: Account) -> str:
            administration.reactivate(c, account.id, _named(who), now)
            return ""

        account, _ = _changed(installation, handle, work)
        _tell(installation, account, f"{account.handle} may sign in again.", as_json)


@commands.command("reset")
def reset(handle: Handle, who: Who = "", as_json: AsJson = False) -> None:
    """Take the person's second factor away and end their sessions; the next sign-in sets up a new one."""
    with opened() as installation:
        now = installation.clock.now()

        def work(c: Connection, account: Account) -> str:
            administration.reset_second_factor(c, account.id, _named(who), now)
            return ""

        account, _ = _changed(installation, handle, work)
        _tell(
            installation,
            account,
            f"The next sign-in of {account.handle} sets up a new second factor.",
            as_json,
        )


def _named(who: str) -> str:
    if not who.strip():
        raise PersonRefused("Say who does this with --who.", "who")
    return who.strip()


def _changed(
    installation: Installation, handle: str, work: Callable[[Connection, Account], str]
) -> tuple[Account, str]:
    """The account, after what was done to it in one transaction."""

    def both(c: Connection) -> tuple[Account, str] | None:
        account = people.account_named(c, installation.keyring, handle)
        return None if account is None else (account, work(c, account))

    try:
        done = installation.tx(both)
    except PersonRefused as refused:
        end(Exit.REFUSED, str(refused))
    if done is None:
        end(Exit.NOT_FOUND, f"There is nobody with the sign-in name {handle[:40]!r}. Nothing was changed.")
    return done


def _shown(account: Account, names: dict[int, str]) -> dict[str, object]:
    return {
        "id": account.id,
        "handle": account.handle,
        "roles": [administration.in_words((grant,), names) for grant in account.grants],
        "second_factor": account.has_second_factor,
        "from_outside": account.from_outside,
        "made_at": account.made_at,
        "made_by": account.made_by,
        "signed_in_at": account.signed_in_at,
        "deactivated_at": account.deactivated_at,
    }


def _tell(installation: Installation, account: Account, sentence: str, as_json: bool) -> None:
    if not as_json:
        say(sentence)
        return
    found, names = installation.tx(
        lambda c: (people.account(c, installation.keyring, account.id), connection_names(c))
    )
    print_json(_shown(found or account, names))


def _tell_link(installation: Installation, number: int, token: str, as_json: bool) -> None:
    settings = installation.settings
    base = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
    if as_json:
        print_json({"id": number, "link": f"{base}/welcome/{token}"})
        return
    say("Hand this link over; it works once, for three days, and is shown only now:")
    typer.echo(f"{base}/welcome/{token}")


# -- the audit log ------------------------------------------------------------------------------------------


@audit.command("list")
def list_entries(
    by: Annotated[str, typer.Option("--by", help="Only what this person, key or user did.")] = "",
    did: Annotated[str, typer.Option("--did", help="Only this kind of deed, such as signed_in.")] = "",
    subject: Annotated[
        str, typer.Option("--subject", help="Only what was done to this, from its beginning.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10000, help="At most so many, the newest.")
    ] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was done, the newest first."""
    with opened() as installation:
        rows = installation.tx(lambda c: found(c, Wanted(by, did, subject), limit))
        if as_json:
            print_json(rows)
            return
        table(
            "",
            ("number", "at", "who", "did", "to what", ""),
            (
                (
                    row.id,
                    wording.stamp(row.at),
                    row.who,
                    row.did,
                    row.subject,
                    ", ".join(map(": ".join, row.facts.items())),
                )
                for row in rows
            ),
        )


@audit.command("verify")
def verify_chain(
    head: Annotated[
        str,
        typer.Option("--head", help="NUMBER:DIGEST of an entry that was noted earlier; it has to be there."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compute every digest of the chain again; exit code 1 when an entry was altered, removed or put in."""
    number, _, digest = head.partition(":")
    if head and not (number.isascii() and number.isdigit() and len(number) < 19 and digest):
        end(Exit.USAGE, "--head is written NUMBER:DIGEST, as this command prints it.")
    with opened() as installation:
        walked = installation.tx(lambda c: verify(c, (int(number), digest) if head else None))
        if as_json:
            print_json({"whole": walked.whole, "verified": walked})
        elif walked.whole:
            say(f"The chain is whole: {walked.entries} entries. Note the newest elsewhere:")
            typer.echo(f"{walked.entries}:{walked.head}")
        else:
            say(f"The chain is broken at entry {walked.broken_at}. {walked.why}")
        if not walked.whole:
            raise typer.Exit(int(Exit.NOT_WELL))
