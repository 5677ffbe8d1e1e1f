"""What a page says in the place of a form or a button that somebody may not send."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from interlock.access.roles import PERMISSION_WORDS, Permission, Person, answers_for, may_there


class OfATeam(Protocol):
    """A case, or a line of a list that stands for one: whose it is, and at which connection."""

    @property
    def owner(self) -> str: ...

    @property
    def connection_id(self) -> int | None: ...


def lacks(person: Person, permission: Permission, connection: int | None, whole: bool = False) -> str:
    """Which right the person lacks there, as a sentence; empty where they have it. Asks as the door of a page does."""
    if may_there(person, permission, connection, whole):
        return ""
    where = "for all connections" if whole else "here"
    return f"It needs the right to {PERMISSION_WORDS[permission]}, which you do not have {where}."


def answering(person: Person) -> Callable[[OfATeam], str]:
    """Says of a case which right to answer it the person lacks: that of the team whose case it is."""
    return lambda case: lacks(person, answers_for(case.owner), case.connection_id)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What the person lacks for each thing that is done on the page of a case; each empty where they have the right."""

    answer: str
    work: str
    replay: str
    mapping: str


@dataclass(frozen=True, slots=True)
class LackingForOrder:
    """What the person lacks for each thing that is done on the page of an order; each empty where they have the right."""

    edit: str
    link: str
    replay: str
    create: str


def lacking_for_order(person: Person, connection: int) -> LackingForOrder:
    """What this person lacks on the page of an order of the connection with this row number."""
    return LackingForOrder(
        lacks(person, Permission.EDIT_ORDERS, connection),
        lacks(person, Permission.LINK_ORDERS, connection),
        lacks(person, Permission.REPLAY, connection),
        lacks(person, Permission.ANSWER_OPERATIONS, connection),
    )


def lacking(person: Person, case: OfATeam) -> Lacking:
    """What this person lacks on the page of this case."""
    return Lacking(
        answering(person)(case),
        lacks(person, Permission.WORK_CASES, case.connection_id),
        lacks(person, Permission.REPLAY, case.connection_id),
        lacks(person, Permission.CHANGE_MAPPINGS, case.connection_id),
    )
