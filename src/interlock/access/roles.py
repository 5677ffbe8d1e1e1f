"""Who may do what: six roles, one permission per kind of action, each for one connection or for all. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody is here. A person may have several, each for all connections or for some."""

    VIEWER = "viewer"
    CX = "cx"
    OPERATIONS = "operations"
    FINANCE = "finance"
    ENGINEER = "engineer"
    ADMIN = "admin"


class Permission(StrEnum):
    """One kind of action. Every route of the console and every change names exactly one."""

    SEE = "see"
    """Orders, cases, holds, mappings, health: everything that holds no personal data."""
    OWN_ACCOUNT = "own_account"
    """One's own password, second factor and sessions; everybody who is signed in."""
    OWN_KEYS = "own_keys"
    """API keys in one's own name; only after the second factor, which they would pass by otherwise."""
    REVEAL_PERSONAL_DATA = "reveal_personal_data"
    REPLAY = "replay"
    """Have an order looked at again; send a test message."""
    WORK_CASES = "work_cases"
    """Assign, comment, snooze: what answers nothing."""
    ANSWER_CUSTOMER_SERVICE = "answer_customer_service"
    ANSWER_OPERATIONS = "answer_operations"
    ANSWER_FINANCE = "answer_finance"
    """Also approves refunds."""
    ANSWER_ENGINEER = "answer_engineer"
    EDIT_ORDERS = "edit_orders"
    """Edit or cancel at the edit desk."""
    LINK_ORDERS = "link_orders"
    """Say which Shopify orders stand for a marketplace order, or take it back."""
    OVERRIDE_LABEL = "override_label"
    CHANGE_MAPPINGS = "change_mappings"
    EXPORT = "export"
    PAUSE_FLOWS = "pause_flows"
    MANAGE_ALERTS = "manage_alerts"
    MANAGE_API_KEYS = "manage_api_keys"
    SEE_AUDIT_LOG = "see_audit_log"
    MANAGE_PEOPLE = "manage_people"


P = Permission

ANSWERS = frozenset({P.ANSWER_CUSTOMER_SERVICE, P.ANSWER_OPERATIONS, P.ANSWER_FINANCE, P.ANSWER_ENGINEER})
"""Who answers a case is decided by the team the case belongs to; see `answers_for`."""

OF_THE_INSTALLATION = frozenset({P.MANAGE_ALERTS, P.MANAGE_API_KEYS, P.SEE_AUDIT_LOG, P.MANAGE_PEOPLE})
"""What concerns no single connection: only a role for all connections gives it."""

_EVERYBODY = frozenset({P.SEE, P.OWN_ACCOUNT, P.OWN_KEYS})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: _EVERYBODY,
        Role.CX: _EVERYBODY
        | {
            P.REVEAL_PERSONAL_DATA,
            P.REPLAY,
            P.WORK_CASES,
            P.ANSWER_CUSTOMER_SERVICE,
            P.EDIT_ORDERS,
            P.LINK_ORDERS,
            P.EXPORT,
        },
        Role.OPERATIONS: _EVERYBODY
        | {
            P.REVEAL_PERSONAL_DATA,
            P.REPLAY,
            P.WORK_CASES,
            P.ANSWER_CUSTOMER_SERVICE,
            P.ANSWER_OPERATIONS,
            P.EDIT_ORDERS,
            P.LINK_ORDERS,
            P.OVERRIDE_LABEL,
            P.CHANGE_MAPPINGS,
            P.PAUSE_FLOWS,
            P.EXPORT,
        },
        Role.FINANCE: _EVERYBODY | {P.REPLAY, P.WORK_CASES, P.ANSWER_FINANCE, P.EXPORT},
        Role.ENGINEER: _EVERYBODY
        | {
            P.REPLAY,
            P.WORK_CASES,
            P.ANSWER_ENGINEER,
            P.CHANGE_MAPPINGS,
            P.PAUSE_FLOWS,
            P.MANAGE_ALERTS,
            P.MANAGE_API_KEYS,
            P.SEE_AUDIT_LOG,
            P.EXPORT,
        },
        Role.ADMIN: frozenset(Permission),
    }
)
"""What each role may do."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role somebody has: for the connection with this row number, or for all when None."""

    role: Role
    connection: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. `handle` is the short name that stands beside everything they do; names and e-mail
    addresses are kept elsewhere, encrypted. `id` is the row number, 0 for somebody without an account."""

    id: int
    handle: str
    grants: tuple[Grant, ...]


def everything(handle: str) -> Person:
    """Somebody without an account who may do everything: whoever looks at a demo."""
    return Person(0, handle, (Grant(Role.ADMIN),))


def may(person: Person, permission: Permission, connection: int | None = None) -> bool:
    """Whether the person may do this at the connection with this row number; with None, at all of them."""
    return any(
        permission in PERMISSIONS[grant.role]
        and (
            grant.connection is None
            or (grant.connection == connection and permission not in OF_THE_INSTALLATION)
        )
        for grant in person.grants
    )


def may_somewhere(person: Person, permission: Permission) -> bool:
    """Whether there is a connection at which the person may do this."""
    return may(person, permission) or any(
        may(person, permission, grant.connection) for grant in person.grants
    )


def may_there(person: Person, permission: Permission, connection: int | None, whole: bool = False) -> bool:
    """Whether the person may do this to something of the connection with this row number. What is of no connection, and not
    of all of them (`whole`), needs the right at any."""
    if connection is None and not whole:
        return may_somewhere(person, permission)
    return may(person, permission, connection)


def connections_for(person: Person, permission: Permission) -> frozenset[int] | None:
    """The row numbers of the connections at which the person may do this; None means all there are."""
    if may(person, permission):
        return None
    numbers = (grant.connection for grant in person.grants if grant.connection is not None)
    return frozenset(number for number in numbers if may(person, permission, number))


def narrowed(person: Person, own: frozenset[int]) -> Person:
    """The person with their rights at the connections with these row numbers alone."""
    return replace(
        person,
        grants=tuple(
            Grant(grant.role, number)
            for grant in person.grants
            for number in sorted(own)
            if grant.connection in (None, number)
        ),
    )


def sees(own: frozenset[int] | None, connection: int | None) -> bool:
    """Whether the connection with this row number may be named to somebody who may see `own`, as `connections_for` gives
    them. What is of no connection concerns the whole installation."""
    return own is None or connection in own


def answers_for(owner: str) -> Permission:
    """The permission to answer cases of a team, named as the catalogue of reasons names it. A team that is not known
    here is the engineer's: nobody may answer by a misspelling."""
    match owner:
        case "CX":
            return P.ANSWER_CUSTOMER_SERVICE
        case "operations":
            return P.ANSWER_OPERATIONS
        case "finance":
            return P.ANSWER_FINANCE
        case _:
            return P.ANSWER_ENGINEER


_TEAM_OF = MappingProxyType(
    {
        Role.CX: "CX",
        Role.OPERATIONS: "operations",
        Role.FINANCE: "finance",
        Role.ENGINEER: "engineer",
    }
)


def teams_of(person: Person | None) -> tuple[str, ...]:
    """The teams somebody belongs to by their roles, named as the catalogue of reasons names them; none for who only looks,
    may do everything, or is not signed in."""
    return () if person is None else teams_of_roles(person.grants)


def teams_of_roles(grants: Iterable[Grant]) -> tuple[str, ...]:
    """The teams that roles belong to, each once."""
    roles = dict.fromkeys(grant.role for grant in grants)
    return tuple(_TEAM_OF[role] for role in roles if role in _TEAM_OF)


ROLE_WORDS: Mapping[Role, str] = MappingProxyType(
    {
        Role.VIEWER: "sees orders, cases and health, and changes nothing",
        Role.CX: "answers customer-service cases, edits and links orders, sees addresses with a reason",
        Role.OPERATIONS: "what customer service may, and holds, labels, mappings, pausing flows",
        Role.FINANCE: "answers refund tasks and approves refunds",
        Role.ENGINEER: "answers the engineer's cases; mappings, pausing flows, alerts, API keys, the audit log",
        Role.ADMIN: "everything, including who else may do what",
    }
)

PERMISSION_WORDS: Mapping[Permission, str] = MappingProxyType(
    {
        P.SEE: "see orders, cases and health",
        P.OWN_ACCOUNT: "look after your own account",
        P.OWN_KEYS: "make API keys in your own name",
        P.REVEAL_PERSONAL_DATA: "see names and addresses",
        P.REPLAY: "have an order looked at again",
        P.WORK_CASES: "assign, comment on and put off cases",
        P.ANSWER_CUSTOMER_SERVICE: "answer cases of customer service",
        P.ANSWER_OPERATIONS: "answer cases of operations",
        P.ANSWER_FINANCE: "answer cases of finance and approve refunds",
        P.ANSWER_ENGINEER: "answer cases of the engineer",
        P.EDIT_ORDERS: "edit orders at the desk",
        P.LINK_ORDERS: "link and unlink orders",
        P.OVERRIDE_LABEL: "print a label against the interlock",
        P.CHANGE_MAPPINGS: "change mappings",
        P.EXPORT: "export lists",
        P.PAUSE_FLOWS: "pause flows",
        P.MANAGE_ALERTS: "change alerts",
        P.MANAGE_API_KEYS: "make and revoke API keys",
        P.SEE_AUDIT_LOG: "see the audit log",
        P.MANAGE_PEOPLE: "manage people and their roles",
    }
)
"""How a refusal and the console name each permission: it follows “may” and “needs the right to”."""
