"""What administrators do to accounts, each with its entry in the audit log: the same from the console and the command line."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from interlock.access import people, sessions
from interlock.access.audit_log import LONGEST, Did, record
from interlock.access.roles import Grant
from interlock.access.store import keys_of, revoke_key
from interlock.storage.encryption import Keyring


def in_words(roles: Sequence[Grant], names: dict[int, str]) -> str:
    """Roles as they are written: `cx, finance@atlas`; `names` are the connections' by row number."""
    written = (
        grant.role.value
        if grant.connection is None
        else f"{grant.role.value}@{names.get(grant.connection, grant.connection)}"
        for grant in roles
    )
    return ", ".join(written) or "none"


def invite(
    c: Connection,
    keyring: Keyring,
    handle: str,
    name: str,
    email: str,
    roles: Sequence[Grant],
    names: dict[int, str],
    who: str,
    now: datetime,
) -> tuple[int, str]:
    """Make an account and the link by which its person begins; its row number and the link's token. Raises PersonRefused."""
    if not roles:
        raise people.PersonRefused(
            "Without a role somebody could sign in and see nothing; choose at least one.", "roles"
        )
    number = people.add_person(c, keyring, handle, name, email, roles, who, now)
    link = people.link_for(c, number, who, now)
    facts = {"handle": people.given_handle(handle), "roles": in_words(roles, names)[:LONGEST]}
    record(c, who, Did.PERSON_INVITED, f"person {number}", now=now, facts=facts)
    return number, link


def new_link(c: Connection, person_id: int, who: str, now: datetime) -> str:
    """The token of a new link by which the person sets a password."""
    link = people.link_for(c, person_id, who, now)
    record(c, who, Did.PERSON_INVITED, f"person {person_id}", now=now, facts={"again": "yes"})
    return link


def change_roles(
    c: Connection, person_id: int, roles: Sequence[Grant], names: dict[int, str], who: str, now: datetime
) -> None:
    """Give exactly these roles; they count from the person's next click on. Raises PersonRefused."""
    before = people.grants_of(c, person_id)
    people.set_roles(c, person_id, roles, now)
    facts = {"from": in_words(before, names)[:LONGEST], "to": in_words(roles, names)[:LONGEST]}
    record(c, who, Did.ROLES_CHANGED, f"person {person_id}", now=now, facts=facts)


def take_roles(c: Connection, person_id: int, names: dict[int, str], who: str, now: datetime) -> None:
    """Take every role and end every session: whoever vouched for the person gives them none any more. Roles come back with
    the next sign-in that gives some. The last administrator keeps theirs, and has to sign in again all the same."""
    if people.grants_of(c, person_id):
        try:
            with c.begin_nested():
                change_roles(c, person_id, (), names, who, now)
        except people.PersonRefused:
            record(c, who, Did.DENIED, f"person {person_id}", now=now, facts={"kept": "last administrator"})
    ended = sessions.end_all(c, person_id, now)
    if ended:
        facts = {"sessions": str(ended)}
        record(c, who, Did.SESSION_ENDED, f"person {person_id}", now=now, facts=facts)


def deactivate(c: Connection, person_id: int, who: str, now: datetime) -> None:
    """End the person's sessions and keys for ever, and let them sign in no more. Raises PersonRefused for the last
    administrator."""
    people.deactivate(c, person_id, now)
    sessions.end_all(c, person_id, now)
    for key in keys_of(c, person_id):
        revoke_key(c, key.id, who, now)
    record(c, who, Did.PERSON_DEACTIVATED, f"person {person_id}", now=now)


def reactivate(c: Connection, person_id: int, who: str, now: datetime) -> None:
    """Let the person sign in again."""
    people.reactivate(c, person_id, now)
    record(c, who, Did.PERSON_REACTIVATED, f"person {person_id}", now=now)


def reset_second_factor(c: Connection, person_id: int, who: str, now: datetime) -> None:
    """End the person's sessions; the next sign-in sets up a new second factor."""
    people.reset_second_factor(c, person_id)
    sessions.end_all(c, person_id, now)
    record(c, who, Did.SECOND_FACTOR_RESET, f"person {person_id}", now=now)
