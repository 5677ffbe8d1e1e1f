"""Keys of programs on the command line."""

from sqlalchemy import Connection

from interlock.access.store import all_keys, key_of
from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from tests.cli.conftest import Run, document


def test_a_key_is_made_listed_and_revoked(interlock: Run, database: Database) -> None:
    made = document(
        interlock("api-key", "create", "--name", "warehouse", "--scope", "labels:check", "--json")
    )

    with database.begin() as c:
        found = key_of(c, made["token"])
    assert found is not None
    assert (found.name, found.scopes, found.created_by) == ("warehouse", ("labels:check",), "ada")
    number = str(made["key"]["id"])
    listed = interlock("api-key", "list").stdout
    assert "warehouse" in listed
    assert made["token"] not in listed
    assert interlock("api-key", "revoke", number, "--who", "Bo").exit_code == Exit.DONE
    assert document(interlock("api-key", "list", "--json"))[0]["revoked_by"] == "Bo"


def test_a_key_for_one_connection_is_made_and_listed_with_its_name(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    given = ("api-key", "create", "--name", "warehouse", "--scope", "labels:check", "--json")
    made = document(interlock(*given, "--connection", "atlas"))
    wrong = interlock(*given, "--connection", "nowhere")

    assert made["key"]["connections"] == ["atlas"]
    assert [one["connections"] for one in document(interlock("api-key", "list", "--json"))] == [["atlas"]]
    assert "atlas" in interlock("api-key", "list").stdout
    assert (wrong.exit_code, "There are: atlas." in wrong.stderr) == (Exit.REFUSED, True)
    with database.begin() as c:
        (key,) = all_keys(c)
    assert key.connections == frozenset({connection.id})


def test_the_token_stands_on_a_line_of_its_own(interlock: Run, database: Database) -> None:
    done = interlock(
        "api-key", "create", "--name", "desk", "--scope", "orders:read", "--scope", "orders:edit"
    )

    token = done.stdout.strip().splitlines()[-1]
    with database.begin() as c:
        assert key_of(c, token) is not None


def test_what_cannot_be_made_or_found_changes_nothing(interlock: Run, database: Database) -> None:
    wrong = interlock("api-key", "create", "--name", "warehouse", "--scope", "everything")
    assert (wrong.exit_code, "labels:check" in wrong.stderr) == (Exit.REFUSED, True)
    assert interlock("api-key", "revoke", "7").exit_code == Exit.NOT_FOUND

    def keys(c: Connection) -> int:
        return len(all_keys(c))

    with database.begin() as c:
        assert keys(c) == 0
