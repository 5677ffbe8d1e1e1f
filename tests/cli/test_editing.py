"""Preview and edit from the command line: what they say, and what they refuse."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from interlock.clock import SystemIdentifiers
from interlock.desk.store import desk_edits
from interlock.engine.store import ConnectionRow, counts
from interlock.orders.store import orders
from interlock.orders.texts import kept_text, texts
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.storage.installation import open_installation
from tests.build import NOW, a_view, some_rules
from tests.cli.conftest import Run, document
from tests.console.seed import keep


@pytest.fixture
def order(database: Database, connection: ConnectionRow, keyring: Keyring) -> int:
    rules = some_rules(partial_cancelation=True, cancelation_reason="15")
    with database.begin() as c:
        open_installation(c, keyring, SystemIdentifiers().new_id(), NOW)
        return keep(c, connection, a_view(rules=rules))[0]


def asked_for(database: Database) -> int:
    with database.begin() as c:
        return int(c.execute(select(func.count()).select_from(desk_edits)).scalar_one())


def test_a_preview_says_what_would_follow_and_changes_nothing(
    interlock: Run, database: Database, order: int
) -> None:
    found = document(interlock("order", "preview", "1001", "--set", "MUG=1", "--json"))
    said = interlock("order", "preview", "1001", "--set", "MUG=1").output

    assert [call["operation"] for call in found["calls"]] == ["OR30"]
    assert found["calls"][0]["lines"][0]["amount"] == "10.00"
    assert "OR30: The marketplace is asked to cancel 1 of MUG." in said
    assert "The customer gets 12.00 EUR back" in said
    assert f"version {found['version']}" in said
    assert asked_for(database) == 0


def test_an_edit_is_kept_and_the_order_is_looked_at(interlock: Run, database: Database, order: int) -> None:
    version = document(interlock("order", "preview", "1001", "--remove", "LAMP", "--json"))["version"]

    result = interlock(
        "order", "edit", "1001", "--remove", "LAMP", "--version", version, "--why", "asked by phone"
    )

    assert (result.exit_code, "Asked for." in result.output) == (0, True)
    with database.begin() as c:
        row = c.execute(select(orders.c.hints, orders.c.lane).where(orders.c.id == order)).one()
        kept = c.execute(select(desk_edits.c.edit)).scalar_one()
    assert (row.hints, row.lane) == (1, "edits")
    assert (kept["who"], kept["why"], kept["quantities"]) == ("ada", "asked by phone", [["S2", 0]])
    again = interlock("order", "edit", "1001", "--set", "MUG=1", "--version", version, "--why", "x")
    assert (again.exit_code, "ada has just asked for an edit" in again.stderr) == (3, True)


def test_an_address_is_kept_encrypted_only(
    interlock: Run, database: Database, keyring: Keyring, order: int, tmp_path: Path
) -> None:
    given = {
        "first_name": "Grace",
        "last_name": "Hopper",
        "line1": "1 Navy Yard",
        "city": "Arlington",
        "postcode": "22202",
        "country_code": "USA",
    }
    file = tmp_path / "address.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    to = ("--address-file", str(file))
    found = document(interlock("order", "preview", "1001", *to, "--json"))

    result = interlock(
        "order",
        "edit",
        "1001",
        *to,
        "--version",
        found["version"],
        "--why",
        "moved",
        "--decision",
        "done_in_portal",
        "--json",
    )

    assert result.exit_code == 0
    assert "Grace" not in result.output + json.dumps(found)
    with database.begin() as c:
        kept = c.execute(select(desk_edits.c.edit)).scalar_one()
        body = kept_text(c, kept["text_id"])
        assert c.execute(select(func.count()).select_from(texts)).scalar_one() == 1
    assert "Grace" not in json.dumps(kept)
    assert body is not None
    assert json.loads(keyring.decrypt(body)) == {**given, "country_code": "US"}


VALID = ("--set", "MUG=1", "--why", "x", "--version", "{version}")


@pytest.mark.parametrize(
    ("arguments", "field", "said"),
    [
        (("--set", "CUP=1"), "set[0].line", "has no line 'CUP'"),
        (("--set", "MUG=-1"), "--set MUG", "not a whole number"),
        (("--set", "MUG=1.5"), "--set MUG", "not a whole number"),
        (("--set", "MUG"), "--set MUG", "NAME=VALUE"),
        (("--cancel", "--undo"), "undo", "One edit"),
        ((), "edit", "Say what to edit"),
        (("--set", "MUG=1", "--currency", "USD"), "currency", "is in EUR"),
    ],
)
def test_what_cannot_be_asked_is_named_and_counted(
    interlock: Run, database: Database, order: int, arguments: tuple[str, ...], field: str, said: str
) -> None:
    for command in ("preview", "edit"):
        result = interlock(
            "order",
            command,
            "1001",
            *arguments,
            *(() if command == "preview" else ("--why", "x", "--version", "v")),
        )
        assert result.exit_code == 3
        assert result.stderr.startswith(f"{field}: ")
        assert said in result.stderr.replace("\n", " ")
    with database.begin() as c:
        found = counts(c)
    assert sum(n for (name, _), n in found.items() if name == "preview_refused") == 1
    assert sum(n for (name, _), n in found.items() if name == "edit_refused") == 1
    assert asked_for(database) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--set", "MUG=1", "--why", "x"), "version"),
        (("--set", "MUG=1", "--why", "x", "--version", "0000"), "version"),
        (("--set", "MUG=1", "--version", "0000"), "why"),
        (("--set", "MUG=3", "--why", "x", "--version", "{version}"), "edit"),
        (
            ("--set", "MUG=1", "--why", "x", "--version", "{version}", "--decision", "ship_as_edited"),
            "decision",
        ),
        (("--set", "MUG=1", "--why", "x", "--version", "{version}", "--decision", "magic"), "decision"),
    ],
)
def test_an_edit_that_may_not_begin_changes_nothing(
    interlock: Run, database: Database, order: int, arguments: tuple[str, ...], field: str
) -> None:
    version = document(interlock("order", "preview", "1001", "--set", "MUG=1", "--json"))["version"]

    result = interlock("order", "edit", "1001", *(a.format(version=version) for a in arguments))

    assert (result.exit_code, result.stderr.split(":")[0]) == (3, field)
    assert asked_for(database) == 0
    with database.begin() as c:
        assert c.execute(select(orders.c.hints)).scalar_one() == 0
        assert c.execute(select(func.count()).select_from(texts)).scalar_one() == 0


def test_a_number_nobody_carries_is_not_found(interlock: Run, connection: ConnectionRow) -> None:
    assert interlock("order", "preview", "M-404", "--cancel").exit_code == 4
    assert interlock("order", "edit", "M-404", "--cancel", "--version", "v", "--why", "x").exit_code == 4
