"""Who may do what, in values."""

from typing import get_args

import pytest

from interlock.access.roles import (
    ANSWERS,
    OF_THE_INSTALLATION,
    PERMISSION_WORDS,
    PERMISSIONS,
    ROLE_WORDS,
    Grant,
    Permission,
    Person,
    Role,
    answers_for,
    connections_for,
    everything,
    may,
    may_somewhere,
    teams_of,
)
from interlock.orders.reasons import Owner

P = Permission


def somebody(*grants: Grant) -> Person:
    return Person(7, "ada", grants)


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        (Role.VIEWER, P.SEE, True),
        (Role.VIEWER, P.REPLAY, False),
        (Role.VIEWER, P.REVEAL_PERSONAL_DATA, False),
        (Role.CX, P.ANSWER_CUSTOMER_SERVICE, True),
        (Role.CX, P.ANSWER_FINANCE, False),
        (Role.CX, P.OVERRIDE_LABEL, False),
        (Role.CX, P.CHANGE_MAPPINGS, False),
        (Role.OPERATIONS, P.OVERRIDE_LABEL, True),
        (Role.OPERATIONS, P.ANSWER_FINANCE, False),
        (Role.OPERATIONS, P.MANAGE_ALERTS, False),
        (Role.FINANCE, P.ANSWER_FINANCE, True),
        (Role.FINANCE, P.EDIT_ORDERS, False),
        (Role.FINANCE, P.REVEAL_PERSONAL_DATA, False),
        (Role.ENGINEER, P.SEE_AUDIT_LOG, True),
        (Role.ENGINEER, P.MANAGE_PEOPLE, False),
        (Role.ENGINEER, P.ANSWER_FINANCE, False),
        (Role.ENGINEER, P.REVEAL_PERSONAL_DATA, False),
        (Role.ADMIN, P.MANAGE_PEOPLE, True),
    ],
)
def test_a_role_gives_what_it_says(role: Role, permission: Permission, allowed: bool) -> None:
    assert may(somebody(Grant(role)), permission) is allowed


def test_an_admin_may_everything_and_only_an_admin_manages_people() -> None:
    assert all(may(everything("x"), permission) for permission in P)
    assert [role for role in Role if P.MANAGE_PEOPLE in PERMISSIONS[role]] == [Role.ADMIN]


def test_a_role_for_one_connection_reaches_no_other_and_not_all_of_them() -> None:
    ada = somebody(Grant(Role.CX, 1), Grant(Role.VIEWER, 2))

    assert may(ada, P.EDIT_ORDERS, 1)
    assert not may(ada, P.EDIT_ORDERS, 2)
    assert not may(ada, P.EDIT_ORDERS)
    assert may_somewhere(ada, P.EDIT_ORDERS)
    assert connections_for(ada, P.EDIT_ORDERS) == frozenset({1})
    assert connections_for(ada, P.SEE) == frozenset({1, 2})
    assert connections_for(somebody(Grant(Role.CX)), P.SEE) is None


@pytest.mark.parametrize("permission", sorted(OF_THE_INSTALLATION))
def test_what_concerns_the_installation_is_not_given_by_a_role_for_one_connection(
    permission: Permission,
) -> None:
    ada = somebody(Grant(Role.ADMIN, 1))

    assert not may(ada, permission, 1)
    assert not may_somewhere(ada, permission)


def test_nobody_without_a_role_may_anything() -> None:
    assert not any(may_somewhere(somebody(), permission) for permission in P)


@pytest.mark.parametrize(
    ("owner", "permission"),
    [
        ("CX", P.ANSWER_CUSTOMER_SERVICE),
        ("operations", P.ANSWER_OPERATIONS),
        ("finance", P.ANSWER_FINANCE),
        ("engineer", P.ANSWER_ENGINEER),
        ("Finance ", P.ANSWER_ENGINEER),
    ],
)
def test_the_team_of_a_case_decides_who_answers_it(owner: str, permission: Permission) -> None:
    assert answers_for(owner) is permission


def test_every_team_has_a_permission_of_its_own() -> None:
    assert {answers_for(owner) for owner in get_args(Owner)} == ANSWERS


@pytest.mark.parametrize(
    ("grants", "teams"),
    [
        ((Grant(Role.CX),), ("CX",)),
        ((Grant(Role.OPERATIONS, 4),), ("operations",)),
        ((Grant(Role.FINANCE, 4), Grant(Role.FINANCE, 5), Grant(Role.VIEWER)), ("finance",)),
        ((Grant(Role.ENGINEER), Grant(Role.CX)), ("engineer", "CX")),
        ((Grant(Role.ADMIN),), ()),
        ((Grant(Role.VIEWER),), ()),
        ((), ()),
    ],
)
def test_somebodys_teams_are_those_of_their_roles(grants: tuple[Grant, ...], teams: tuple[str, ...]) -> None:
    assert teams_of(somebody(*grants)) == teams
    assert set(teams) <= set(get_args(Owner))


def test_who_is_not_signed_in_has_no_team() -> None:
    assert teams_of(None) == ()


def test_every_role_and_permission_has_words_and_every_role_says_what_it_gives() -> None:
    assert set(ROLE_WORDS) == set(PERMISSIONS) == set(Role)
    assert set(PERMISSION_WORDS) == set(Permission)
