"""Beginning and ending a quarantine from the command line, and where it is told."""

from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from tests.cli.conftest import Run, document


def test_a_quarantine_is_begun_told_and_ended_by_name(interlock: Run, connection: ConnectionRow) -> None:
    assert document(interlock("quarantine", "show", "--json")) == {"quarantined": False, "last": None}
    begun = interlock("quarantine", "enter", "--who", "Ada", "--why", "restoring the backup of noon")
    assert begun.exit_code == Exit.DONE
    assert f"for {connection.name} until" in begun.stdout
    shown = interlock("quarantine", "show")
    assert shown.exit_code == Exit.NOT_WELL
    assert "Ada began it: restoring the backup of noon" in shown.stdout
    health = interlock("health")
    assert health.exit_code == Exit.NOT_WELL
    assert "In quarantine since" in health.stdout
    cases = document(interlock("cases", "list", "--json"))
    assert [case["connection"] for case in cases] == [connection.name]
    again = interlock("quarantine", "enter", "--who", "Bob", "--why", "again")
    assert again.exit_code == Exit.REFUSED

    left = interlock("quarantine", "leave", "--who", "Ada", "--why", "the copy is stopped")
    assert left.exit_code == Exit.DONE
    shown = interlock("quarantine", "show")
    assert shown.exit_code == Exit.DONE
    assert "Ada ended it: the copy is stopped" in shown.stdout
    assert document(interlock("cases", "list", "--json")) == []
    assert interlock("quarantine", "leave", "--why", "twice").exit_code == Exit.REFUSED


def test_nobody_decides_without_a_reason(interlock: Run, connection: ConnectionRow) -> None:
    del connection
    for verb in ("enter", "leave"):
        refused = interlock("quarantine", verb, "--who", "Ada")
        assert refused.exit_code == Exit.REFUSED
        assert "--why" in refused.stderr
    assert document(interlock("quarantine", "show", "--json"))["quarantined"] is False


def test_the_wrong_database_is_not_taken_for_the_one_the_service_works_with(interlock: Run) -> None:
    refused = interlock("quarantine", "enter", "--who", "Ada", "--why", "restored")
    assert (refused.exit_code, "INTERLOCK_DATA_FOLDER" in refused.stderr) == (Exit.REFUSED, True)
    assert document(interlock("quarantine", "show", "--json"))["quarantined"] is False
