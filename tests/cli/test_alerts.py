"""`interlock alerts …` with a real receiver: a channel is added, tested, routed, and an alert acknowledged."""

from pathlib import Path

import pytest

from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.monitoring import outbox
from interlock.monitoring.deadlines import LastKnown, write
from interlock.monitoring.decide import Alert
from interlock.storage.database import Database
from tests.build import NOW
from tests.cli.conftest import Run, document
from tests.monitoring.receiver import Receiver


def test_a_channel_is_added_tested_and_removed(interlock: Run, connection: ConnectionRow) -> None:
    with Receiver() as receiver:
        added = interlock("alerts", "channels", "add", "ops", "--url", receiver.url("secret-token"), "--json")
        assert added.exit_code == 0, added.output
        assert document(added)["masked"] == "json://127.0.0.1/…"
        assert "secret-token" not in added.output

        assert interlock("alerts", "test", "ops").exit_code == 0
        assert len(receiver.at("secret-token")) == 1
        receiver.answer = 500
        tested = interlock("alerts", "test", "ops", "--json")
        assert tested.exit_code == 5
        assert document(tested)["state"] == "GIVEN_UP"

        listed = interlock("alerts", "channels", "--json")
        assert [channel["name"] for channel in document(listed)] == ["ops"]
        assert interlock("alerts", "channels", "remove", "ops").exit_code == 0
        assert document(interlock("alerts", "channels", "--json")) == []


def test_routes_name_what_they_take(interlock: Run, connection: ConnectionRow) -> None:
    interlock("alerts", "channels", "add", "ops", "--url", "json://127.0.0.1:9/")

    added = interlock(
        "alerts", "routes", "add", "ops", "--team", "operations", "--hours", "mon-fri 08:00-18:00", "--json"
    )
    assert added.exit_code == 0, added.output
    (route,) = document(interlock("alerts", "routes", "--json"))
    assert (route["channel"], route["team"], route["hours"]) == ("ops", "operations", "mon-fri 08:00-18:00")
    assert interlock("alerts", "routes", "remove", str(route["id"])).exit_code == 0
    assert interlock("alerts", "routes", "remove", str(route["id"])).exit_code == 4


def test_what_cannot_be_used_is_named_and_changes_nothing(interlock: Run, connection: ConnectionRow) -> None:
    interlock("alerts", "channels", "add", "ops", "--url", "json://127.0.0.1:9/")

    for arguments, named in (
        (("channels", "add", "x", "--url", "nothing://"), "Apprise"),
        (("channels", "add", "x", "--kind", "smoke", "--url", "json://127.0.0.1:9/"), "'smoke'"),
        (("channels", "add", "x", "--zone", "Mars/Base", "--url", "json://127.0.0.1:9/"), "'Mars/Base'"),
        (("channels", "add", "ops", "--url", "json://127.0.0.1:9/"), "exists already"),
        (("routes", "add", "ops", "--team", "sales"), "'sales'"),
        (("routes", "add", "ops", "--severity", "loud"), "'loud'"),
        (("routes", "add", "ops", "--connection", "nowhere"), "'nowhere'"),
        (("routes", "add", "ops", "--hours", "8 to 6"), "'8 to 6'"),
    ):
        refused = interlock("alerts", *arguments)
        assert refused.exit_code == 3, arguments
        assert named in refused.stderr
        assert "Nothing was changed" in refused.stderr
    assert len(document(interlock("alerts", "channels", "--json"))) == 1
    assert document(interlock("alerts", "routes", "--json")) == []


def test_an_alert_is_listed_and_acknowledged(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        outbox.keep(c, [Alert("k", "g", "page", ("engineer",), "something is wrong")], NOW)

    (row,) = document(interlock("alerts", "list", "--json"))
    assert row["alert"]["title"] == "something is wrong"
    acknowledged = interlock("alerts", "ack", str(row["id"]), "--who", "Kim")
    assert acknowledged.exit_code == 0
    assert document(interlock("alerts", "list", "--json"))[0]["acknowledged_by"] == "Kim"
    assert interlock("alerts", "ack", "999").exit_code == 4


def test_a_watchdog_that_could_tell_nobody_does_not_start(interlock: Run, tmp_path: Path) -> None:
    file = tmp_path / "watchdog.json"
    missing = interlock("watchdog", "--file", str(file))
    assert missing.exit_code == 3
    assert "does not exist" in missing.stderr
    assert "Nobody could be told" in missing.stderr

    write(file, LastKnown(NOW, (), ()))
    silent = interlock("watchdog", "--file", str(file))
    assert silent.exit_code == 3
    assert "names no channel that takes pages" in silent.stderr

    elsewhere = interlock("watchdog", "--without-file")
    assert elsewhere.exit_code == 3
    assert "--channels" in elsewhere.stderr


def test_a_watchdog_of_a_service_that_speaks_tls_is_told_which_name_to_call(
    interlock: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_TLS_CERTIFICATE", str(tmp_path / "chain.pem"))
    refused = interlock("watchdog", "--without-file", "--channels", "json://127.0.0.1:9/", "--once")
    assert (refused.exit_code, "--url https://" in refused.stderr) == (Exit.USAGE, True)
