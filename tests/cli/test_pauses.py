"""Pausing and resuming a flow from the command line."""

import pytest

from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from tests.cli.conftest import Run, document


def test_a_flow_is_paused_listed_and_resumed_by_name(interlock: Run, connection: ConnectionRow) -> None:
    assert document(interlock("pause", "list", "--json")) == []
    start = ("pause", "start", connection.name)
    quiet = interlock(*start, "edits", "--minutes", "60", "--why", "stocktaking", "--who", "Ada")
    assert quiet.exit_code == Exit.DONE
    assert "stay held" in quiet.stdout
    assert interlock("pause", "list").exit_code == Exit.DONE
    loud = interlock(
        *start, "acceptance", "--minutes", "15", "--why", "wrong stock", "--who", "Ada", "--json"
    )
    assert document(loud)["flow"] == "acceptance"

    listed = interlock("pause", "list", "--json")
    assert listed.exit_code == Exit.NOT_WELL
    assert [(one["connection"], one["pause"]["flow"]) for one in document(listed)] == [
        (connection.name, "acceptance"),
        (connection.name, "edits"),
    ]

    for flow in ("edits", "acceptance"):
        assert interlock("pause", "end", connection.name, flow, "--who", "Bob").exit_code == Exit.DONE
    assert document(interlock("pause", "list", "--json")) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("start", "atlas", "edits", "--minutes", "60", "--who", "Ada"), "needs a reason"),
        (("start", "atlas", "edits", "--minutes", "61", "--why", "w", "--who", "Ada"), "Choose how long"),
        (("start", "atlas", "import", "--minutes", "1440", "--why", "w", "--who", "Ada"), "4 hours at most"),
        (("start", "atlas", "dance", "--minutes", "60", "--why", "w", "--who", "Ada"), "no flow 'dance'"),
        (("end", "atlas", "edits", "--who", "Ada"), "has no pause any more"),
        (("end", "atlas", "edits", "--who", " "), "needs the name"),
    ],
)
def test_a_pause_that_is_refused_changes_nothing(
    interlock: Run, connection: ConnectionRow, given: tuple[str, ...], said: str
) -> None:
    assert connection.name == "atlas"
    refused = interlock("pause", *given)
    assert refused.exit_code == Exit.REFUSED
    assert said in refused.stderr
    assert document(interlock("pause", "list", "--json")) == []
