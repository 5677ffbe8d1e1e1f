"""`interlock edits table`: the rules as people and programs read them."""

import json

from typer.testing import CliRunner

from interlock.cli import app
from interlock.edits.table import Answer, Change


def test_the_table_as_one_document() -> None:
    result = CliRunner().invoke(app, ["edits", "table", "--json"])
    document = json.loads(result.stdout)

    assert result.exit_code == 0
    assert set(document) == {"rules", "combinations", "unanswered", "unreachable_rules"}
    assert (document["unanswered"], document["unreachable_rules"]) == (0, [])
    assert document["combinations"] > 1_000_000
    for rule in document["rules"]:
        assert set(rule) == {"change", "situation", "conditions", "answer", "sentence"}
    assert {rule["change"] for rule in document["rules"]} == set(Change)
    assert {rule["answer"] for rule in document["rules"]} == set(Answer)


def test_the_table_of_one_change_for_people() -> None:
    result = CliRunner().invoke(app, ["edits", "table", "--change", "note_changed"])

    assert result.exit_code == 0
    assert "note_changed" in result.stdout
    assert "quantity_down" not in result.stdout
    assert "0 without an answer" in result.stdout


def test_a_change_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = CliRunner().invoke(app, ["edits", "table", "--change", "colour"])

    assert result.exit_code == 3
    assert "quantity_down" in result.stderr
