"""Who may have a case. Where there are accounts it is given to one of them, by the sign-in name: a case that is with a name
nobody signs in by is on nobody's page, and counts as taken up all the same."""

from datetime import datetime

from sqlalchemy import Connection, select

from interlock.access import administration, people
from interlock.access.roles import Permission, may
from interlock.cases import work
from interlock.cases.store import cases


class NobodyOfThatName(work.NotDone):
    """A case was to be with somebody who could not work on it."""

    def __init__(self, name: str, there: tuple[str, ...]) -> None:
        might = f"It may be given to: {', '.join(there)}." if there else "Nobody else is there for it either."
        super().__init__(
            f"No active account with the sign-in name {name[: work.LONGEST_NAME]!r} may work on this case. {might} "
            "Nothing was changed."
        )


def who_may_have(c: Connection, connection_id: int | None) -> tuple[str, ...] | None:
    """The sign-in names of active people who may work on cases of this connection; None where there are no accounts, as on a
    demo: there any name is taken."""
    everybody = people.active_people(c)
    if not everybody:
        return None
    return tuple(person.handle for person in everybody if may(person, Permission.WORK_CASES, connection_id))


def give(c: Connection, case_id: int, to: str, who: str, now: datetime) -> str:
    """Give the case to a person, or to nobody with an empty `to`, and say who has it. Raises NotDone."""
    name = _known(c, case_id, to.strip())
    work.assign(c, case_id, name, who, now)
    return name


def begin(c: Connection, case_id: int, who: str, now: datetime) -> str:
    """Have a person take the case and work on it, and say by which name. Raises NotDone."""
    name = _known(c, case_id, who.strip())
    work.begin(c, case_id, name, now)
    return name


def _known(c: Connection, case_id: int, name: str) -> str:
    """The sign-in name that is meant, if that person may have the case; an empty one is nobody."""
    row = c.execute(select(cases.c.connection_id).where(cases.c.id == case_id)).one_or_none()
    if row is None:
        raise work.NoSuchCase(case_id)
    there = who_may_have(c, row.connection_id) if name else None
    if there is None:
        return name
    if name.lower() not in there:
        raise NobodyOfThatName(name, there)
    return name.lower()


def give_back(c: Connection, person_id: int, who: str, now: datetime) -> int:
    """Give back to their teams the open cases of a person who may not work on them any more, and say how many there were."""
    handle = people.handle_of(c, person_id)
    rows = c.execute(
        select(cases.c.id, cases.c.connection_id)
        .where(cases.c.assignee == handle, cases.c.closed_at.is_(None))
        .order_by(cases.c.id)
    ).all()
    person = next((one for one in people.active_people(c) if one.handle == handle), None) if rows else None
    theirs = [
        row.id for row in rows if person is None or not may(person, Permission.WORK_CASES, row.connection_id)
    ]
    for case_id in theirs:
        work.put_back(c, case_id, who, now)
    return len(theirs)


def deactivate(c: Connection, person_id: int, who: str, now: datetime) -> None:
    """Close the person's account, and give the open cases they have back to the teams. Raises PersonRefused for the last
    administrator."""
    administration.deactivate(c, person_id, who, now)
    give_back(c, person_id, who, now)
