"""The people as a list: filtered by its address, by sign-in name."""

from collections.abc import Mapping, Sequence

from interlock.access.administration import in_words
from interlock.access.people import Account
from interlock.access.roles import Role, teams_of_roles
from interlock.console.export import Cell
from interlock.console.lists import TEAMS, Asked, known

OWN_FILTERS = ("role", "account")
ROLES: tuple[str, ...] = tuple(role.value for role in Role)
ACCOUNTS = ("active", "deactivated")
COLUMNS = (
    "number",
    "sign-in name",
    "roles",
    "second factor",
    "made at",
    "made by",
    "last signed in",
    "deactivated at",
)
"""Names and e-mail addresses are shown on the pages of the people only, and are in no file."""


def people_asked_for(everybody: Sequence[Account], asked: Asked, names: Mapping[int, str]) -> list[Account]:
    """Those of the people whom a list's address asks for; `names` are the connections' by row number. A role for all
    connections is one for the connection that is asked for, too; a team is asked for by the roles that belong to it.
    Raises FilterUnknown."""
    team = known("team", asked.team, TEAMS)
    role = known("role", asked.other("role"), ROLES)
    state = known("account", asked.other("account"), ACCOUNTS)

    def fits(account: Account) -> bool:
        if state and account.active != (state == "active"):
            return False
        return not (role or team or asked.connection) or any(
            (not role or grant.role == role)
            and (not team or team in teams_of_roles((grant,)))
            and (
                not asked.connection
                or grant.connection is None
                or names.get(grant.connection) == asked.connection
            )
            for grant in account.grants
        )

    return [account for account in everybody if fits(account)]


def second_factor(account: Account) -> str:
    """Whether the person has a second factor, in words."""
    if account.has_second_factor:
        return "yes"
    return "at the provider" if account.from_outside else "no"


def file_row(account: Account, names: dict[int, str]) -> Sequence[Cell]:
    """One person as the file has them."""
    return (
        account.id,
        account.handle,
        in_words(account.grants, names),
        second_factor(account),
        account.made_at,
        account.made_by,
        account.signed_in_at,
        account.deactivated_at,
    )
