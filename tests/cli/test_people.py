"""People and the audit log on the command line."""

from sqlalchemy import update

from interlock.access.audit_log import audit_log
from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.storage.append_only import without_guards
from interlock.storage.database import Database
from tests.cli.conftest import Run, document


def test_somebody_is_added_changed_and_deactivated(interlock: Run, connection: ConnectionRow) -> None:
    made = document(interlock("people", "add", "Ada", "--name", "Ada Canary", "--role", "cx@atlas", "--json"))
    changed = document(interlock("people", "roles", "ada", "--role", "viewer", "--role", "finance", "--json"))
    again = interlock("people", "link", "ada")
    listed = interlock("people", "list")

    assert made["link"].startswith("http://127.0.0.1:8080/welcome/")
    assert changed["roles"] == ["finance", "viewer"]
    assert "/welcome/" in again.stdout
    assert "finance, viewer" in listed.stdout
    assert "Canary" not in listed.stdout
    for verb in ("reset", "reactivate"):
        assert interlock("people", verb, "ada").exit_code == Exit.DONE


def test_what_cannot_be_done_is_said(interlock: Run, connection: ConnectionRow) -> None:
    nobody = interlock("people", "roles", "eve", "--role", "cx")
    wrong = interlock("people", "add", "ada", "--name", "Ada", "--role", "king")
    unnamed = interlock("people", "add", "ada", "--name", "Ada", "--role", "cx", "--who", "")

    assert (nobody.exit_code, wrong.exit_code, unnamed.exit_code) == (
        Exit.NOT_FOUND,
        Exit.REFUSED,
        Exit.REFUSED,
    )
    assert "nobody with the sign-in name 'eve'" in nobody.stderr
    assert "'king' is not a role" in wrong.stderr


def test_the_audit_log_is_listed_and_verified(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    interlock("people", "add", "ada", "--name", "Ada", "--role", "cx", "--who", "Bo")
    interlock("api-key", "create", "--name", "warehouse", "--scope", "labels:check", "--who", "Bo")

    listed = document(interlock("audit-log", "list", "--by", "Bo", "--json"))
    whole = interlock("audit-log", "verify")
    head = whole.stdout.strip().splitlines()[-1]
    still = interlock("audit-log", "verify", "--head", head)
    unreadable = interlock("audit-log", "verify", "--head", "x")
    with database.begin() as c:
        without_guards(c)
        c.execute(update(audit_log).where(audit_log.c.id == 1).values(who="eve"))
    broken = interlock("audit-log", "verify", "--json")

    assert [entry["did"] for entry in listed] == ["api_key_made", "person_invited"]
    assert (whole.exit_code, still.exit_code, unreadable.exit_code) == (Exit.DONE, Exit.DONE, Exit.USAGE)
    assert (broken.exit_code, document(broken)["whole"]) == (Exit.NOT_WELL, False)


def test_what_a_command_changes_is_in_the_audit_log_and_what_it_only_reads_is_not(
    interlock: Run, connection: ConnectionRow
) -> None:
    interlock("carriers", "map", "atlas", "DPD", "--code", "DPD", "--who", "Bo")
    interlock("carriers", "map", "atlas", "Nowhere", "--code", "XYZ", "--who", "Bo")
    interlock("carriers", "list", "atlas")
    interlock("health")

    listed = document(interlock("audit-log", "list", "--json"))

    assert [(entry["who"], entry["did"], entry["subject"]) for entry in listed] == [
        ("Bo", "changed", "interlock carriers map")
    ]
