"""The commands people and programs use every day."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from interlock.access.audit_log import entries
from interlock.cases.store import answers, cases
from interlock.cli import app
from interlock.cli.telling import Exit
from interlock.engine.capabilities import keep_capability
from interlock.engine.store import ConnectionRow, beat, counts, one_connection, polls
from interlock.imports.store import sku_map
from interlock.logs import configure
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.store import orders
from interlock.quarantine.store import in_quarantine
from interlock.shipping.store import carrier_map
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from interlock.storage.installation import open_installation
from tests.build import NOW, a_view
from tests.cli.conftest import Run, document
from tests.console.seed import CLOCK, connect, edited_up, keep, shipped_with, sku_unknown
from tests.engine.rows import Wakes


@pytest.fixture
def edited(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        return keep(c, connection, edited_up())[0]


def case_of(database: Database, order_id: int) -> int:
    with database.begin() as c:
        return int(c.execute(select(cases.c.id).where(cases.c.order_id == order_id)).scalars().one())


def test_orders_are_listed_and_found_by_tracking(
    interlock: Run, database: Database, connection: ConnectionRow, edited: int
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("DPD"))

    everything = document(interlock("order", "list", "--json"))
    found = document(interlock("order", "list", "--search", "RM123456785GB", "--json"))

    assert {o["mirakl_order_id"] for o in everything} == {"M-1001-A", "M-1002-A"}
    assert [o["mirakl_order_id"] for o in found] == ["M-1002-A"]
    assert "M-1001-A" in interlock("order", "list").output


def test_an_order_is_shown_on_its_three_sides(interlock: Run, edited: int) -> None:
    shown = document(interlock("order", "show", "#1001", "--json"))

    mugs = shown["lines"][0]
    assert (mugs["sku"], mugs["shopify"], mugs["agreed"], mugs["ordered"]) == ("MUG", 5, 2, 2)
    assert mugs["agrees"] is False
    assert "differs" in interlock("order", "show", "1001").output


def test_explain_says_why_an_edit_has_not_reached_the_marketplace(
    interlock: Run, database: Database, edited: int
) -> None:
    why = document(interlock("order", "explain", "M-1001-A", "--json"))["why"]

    assert why["verdict"] == (
        "The edit has not reached the marketplace because it needs a person: the marketplace cannot take this edit."
    )
    assert why["waits_for"] == f"an answer to case {case_of(database, edited)} (CX)"
    assert why["chain"][0]["kind"] == "difference"
    assert any("undo_in_shopify" in sentence for sentence in why["would_change"])
    assert "needs a person" in interlock("order", "explain", "M-1001-A").output


def test_a_number_nobody_carries_is_not_found(interlock: Run, connection: ConnectionRow) -> None:
    for command in ("show", "explain", "replay"):
        result = interlock("order", command, "M-404")
        assert result.exit_code == 4
        assert "There is no order M-404" in result.stderr


def test_orders_are_filtered_as_on_their_page(
    interlock: Run, database: Database, connection: ConnectionRow, keyring: Keyring, edited: int
) -> None:
    with database.begin() as c:
        keep(c, connect(c, keyring, "birch", shop_id=2002), shipped_with("DPD", "M-1001-A"))
        keep(c, connection, shipped_with("DPD", "M-1002-A"))

    def found(*options: str) -> list[tuple[str, str]]:
        listed = document(interlock("order", "list", *options, "--json"))
        return [(one["mirakl_order_id"], one["connection"]) for one in listed]

    assert found("--connection", "birch") == [("M-1001-A", "birch")]
    assert found("--search", "M-1001-A", "--connection", "birch") == [("M-1001-A", "birch")]
    assert found("--team", "CX") == [("M-1001-A", "atlas")]
    assert len(found("--show", "cases", "--connection", "atlas")) == 2
    assert len(found("--sold-from", "2026-03-02", "--sold-to", "2026-03-02")) == 3
    assert found("--sold-to", "2026-03-01") == []
    for options, code in (
        (("--connection", "nowhere"), Exit.NOT_FOUND),
        (("--team", "sales"), Exit.NOT_FOUND),
        (("--show", "lost"), Exit.USAGE),
        (("--sold-from", "monday"), Exit.USAGE),
        (("--search", "M-1001-A", "--show", "held"), Exit.USAGE),
    ):
        assert interlock("order", "list", *options).exit_code == code, options


def test_an_empty_list_says_that_it_is_empty(interlock: Run, connection: ConnectionRow) -> None:
    for command in (("order", "list"), ("cases", "list"), ("api-key", "list")):
        assert interlock(*command).stdout.rstrip().endswith("none")
        assert json.loads(interlock(*command, "--json").stdout) == []


def test_replay_marks_the_order_and_asks_for_fresh_readings(
    interlock: Run, database: Database, edited: int
) -> None:
    assert interlock("order", "replay", "M-1001-A", "--who", "Ada").exit_code == 0

    with database.begin() as c:
        row = c.execute(select(orders).where(orders.c.id == edited)).one()
    assert (row.hints, row.lane) == (1, "edits")
    assert row.mirakl_wanted_since is not None


def test_a_case_is_listed_shown_and_answered(interlock: Run, database: Database, edited: int) -> None:
    number = str(case_of(database, edited))

    listed = document(interlock("cases", "list", "--json"))
    shown = interlock("cases", "show", number)
    result = interlock("cases", "answer", number, "undo_in_shopify", "--why", "She changed her mind.")

    assert [str(one["id"]) for one in listed] == [number]
    assert "undo_in_shopify" in shown.output
    assert result.exit_code == 0
    with database.begin() as c:
        kept = c.execute(select(answers)).one()
    assert (kept.option, kept.who, kept.why) == ("undo_in_shopify", "ada", "She changed her mind.")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("999", "dismiss", "--why", "x"), 4, "There is no case 999"),
        (("{case}", "refuse_order", "--why", "x"), 3, "does not offer 'refuse_order'"),
        (("{case}", "undo_in_shopify"), 3, "needs the name of who gives it and a reason"),
    ],
)
def test_an_answer_that_cannot_be_taken_says_why(
    interlock: Run, database: Database, edited: int, arguments: tuple[str, ...], code: int, said: str
) -> None:
    number = str(case_of(database, edited))

    result = interlock("cases", "answer", *(a.format(case=number) for a in arguments))

    assert (result.exit_code, said in result.stderr) == (code, True)
    with database.begin() as c:
        assert c.execute(select(func.count()).select_from(answers)).scalar_one() == 0


def test_carriers_are_mapped_one_by_one_and_from_a_file(
    interlock: Run, database: Database, connection: ConnectionRow, tmp_path: Path
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon Post"))
    file = tmp_path / "carriers.csv"
    file.write_text("shop_name,code\nRoyal Mail 24,RM24\n")

    mapped = document(interlock("carriers", "map", "atlas", "Pigeon Post", "--code", "DPD", "--json"))
    imported = document(interlock("carriers", "import", "atlas", str(file), "--json"))
    listed = document(interlock("carriers", "list", "atlas", "--json"))

    assert (mapped, imported) == (
        {"mappings": 1, "orders": 1, "removed": 0, "replay": mapped["replay"], "left_out": 0},
        {"mappings": 1, "orders": 0, "removed": 0, "replay": None, "left_out": 0},
    )
    assert mapped["replay"] is not None
    assert [m[:2] for m in listed["mappings"]] == [["Pigeon Post", "DPD"], ["Royal Mail 24", "RM24"]]


def test_the_carrier_list_says_what_the_marketplace_changed(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    assert document(interlock("carriers", "list", "atlas", "--json"))["marketplace_changes"] == []
    with database.begin() as c:
        row = one_connection(c, connection.id)
        known = decode(Capability, row.capability)
        keep_capability(c, Wakes(), row, replace(known, carriers=known.carriers[1:]), CLOCK)

    (change,) = document(interlock("carriers", "list", "atlas", "--json"))["marketplace_changes"]
    gone = known.carriers[0]
    assert (change["kind"], change["code"], change["former"], change["present"]) == (
        "carrier",
        gone.code,
        gone.label,
        "",
    )
    shown = interlock("carriers", "list", "atlas").stdout
    assert "What the marketplace changed itself" in shown


def test_a_file_with_a_wrong_row_names_file_row_and_field_and_changes_nothing(
    interlock: Run, database: Database, connection: ConnectionRow, tmp_path: Path
) -> None:
    carriers = tmp_path / "carriers.csv"
    carriers.write_text("shop_name,code\nDPD,DPD\nRoyal Mail 24,RM25\n")
    skus = tmp_path / "skus.csv"
    skus.write_text("mirakl_sku,shop_sku\nA,B\nC,\n")

    wrong_carrier = interlock("carriers", "import", "atlas", str(carriers))
    wrong_sku = interlock("skus", "import", "atlas", str(skus), "--json")

    assert wrong_carrier.exit_code == wrong_sku.exit_code == 3
    assert "carriers.csv, row 3, field code:" in wrong_carrier.stderr
    said = document(wrong_sku)
    assert (said["file"], said["row"], said["field"]) == ("skus.csv", 3, "shop_sku")
    with database.begin() as c:
        assert carrier_map(c, connection.id) == ()
        assert sku_map(c, connection.id) == {}
        counted = counts(c)
    assert counted == {("map_file_refused", "carriers"): 1, ("map_file_refused", "skus"): 1}


def test_skus_are_mapped_and_listed(interlock: Run, connection: ConnectionRow) -> None:
    assert interlock("skus", "map", "atlas", "LAMP", "LAMP-2").exit_code == 0

    listed = document(interlock("skus", "list", "atlas", "--json"))

    assert [m[:3] for m in listed["mappings"]] == [["LAMP", "LAMP-2", "ada"]]


def test_a_connection_that_does_not_exist_is_named_with_those_that_do(
    interlock: Run, connection: ConnectionRow
) -> None:
    result = interlock("carriers", "list", "bazaar")

    assert result.exit_code == 4
    assert "There is no connection 'bazaar'. There is: atlas." in result.stderr


def test_health_ends_with_1_while_something_is_silent(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    silent = interlock("health")
    with database.begin() as c:
        now = c.execute(select(func.max(polls.c.cursor))).scalar_one()
        assert now is not None

    assert silent.exit_code == 1
    assert "was never read" in silent.output


def test_health_ends_with_0_when_everything_beats(interlock: Run, database: Database) -> None:
    from interlock.clock import SystemClock

    with database.begin() as c:
        beat(c, "due sweep", SystemClock().now())

    assert document(interlock("health", "--json"))["ok"] is True
    assert interlock("health").exit_code == 0


def test_the_database_is_checked_and_upgraded(interlock: Run) -> None:
    assert interlock("db", "upgrade").exit_code == 0
    assert document(interlock("db", "check", "--json")) == {"ok": True, "problems": []}


def test_a_database_of_ones_own_is_not_stopped(interlock: Run) -> None:
    assert interlock("db", "stop").exit_code == 3


def test_a_new_key_is_one_the_settings_take(interlock: Run) -> None:
    Keyring([interlock("db", "new-key").stdout.strip()])


def test_a_database_that_is_away_is_said_and_has_a_code_of_its_own(interlock: Run) -> None:
    away = "postgresql://nobody@127.0.0.1:1/none"

    result = interlock("order", "list", INTERLOCK_DATABASE_URL=away)

    assert result.exit_code == 5
    assert "The database does not answer." in result.stderr


def test_a_database_that_does_not_exist_is_said_and_nothing_of_its_address(
    interlock: Run, database: Database
) -> None:
    none = make_url(database.url).set(database="no_such_one", password="pa55word")

    result = interlock("order", "list", INTERLOCK_DATABASE_URL=none.render_as_string(hide_password=False))

    assert result.exit_code == 3
    assert "has no database of that name. Nothing was changed." in result.stderr
    assert "no_such_one" not in result.stderr
    assert "pa55word" not in result.stderr


@pytest.mark.parametrize(
    ("command", "place", "why"),
    [
        (("order", "list"), "a file", "exists"),
        (("worker",), "a file", "exists"),
        (("worker",), "a file/below", "Not a directory"),
        (("worker",), "/proc/interlock", "No such file"),
        (("db", "stop"), "locked", "Is a directory"),
    ],
)
def test_a_data_folder_that_cannot_be_used_is_said(
    command: tuple[str, ...], place: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "locked/postgres.lock").mkdir(parents=True)
    (tmp_path / "locked/postgres").mkdir()
    folder = {"INTERLOCK_DATA_FOLDER": str(tmp_path / place)}

    try:
        result = CliRunner().invoke(app, list(command), env=folder)
    finally:
        configure()  # a worker that begins sends its lines to where the command printed

    assert (result.exit_code, why in result.stderr) == (3, True), result.stderr
    assert "INTERLOCK_DATA_FOLDER" in result.stderr


@pytest.mark.parametrize("who", ["A" * 201, "Ada\x1b[31m"])
@pytest.mark.parametrize(
    "command",
    [
        ("alerts", "channels", "add", "shift", "--kind", "chat", "--url", "json://127.0.0.1:1"),
        ("alerts", "channels", "remove", "shift"),
        ("api-key", "create", "--name", "erp", "--scope", "orders:read"),
        ("cases", "begin", "1"),
        ("quarantine", "enter", "--why", "A drill."),
        ("privacy", "done", "1"),
    ],
)
def test_a_name_that_no_entry_could_hold_is_refused_before_anything_is_done(
    interlock: Run, database: Database, connection: ConnectionRow, command: tuple[str, ...], who: str
) -> None:
    refused = interlock(*command, "--who", who)

    assert refused.exit_code == Exit.REFUSED
    assert "(--who) is longer than 200 characters" in refused.stderr
    with database.begin() as c:
        assert not list(entries(c))
        assert not in_quarantine(c)


def test_a_wrong_setting_is_named(interlock: Run) -> None:
    result = interlock("order", "list", INTERLOCK_HTTP_PROT="8080")

    assert result.exit_code == 3
    assert "INTERLOCK_HTTP_PROT" in result.stderr


def test_an_order_in_agreement_is_explained_as_such(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, a_view())

    why = document(interlock("order", "explain", "M-1001-A", "--json"))["why"]

    assert why["verdict"].startswith("Every edit has reached the marketplace")


def test_a_text_is_refused_where_the_option_takes_none(
    interlock: Run, database: Database, edited: int, tmp_path: Path
) -> None:
    message = tmp_path / "message.txt"
    message.write_text("We are sorry.", encoding="utf-8")
    number = str(case_of(database, edited))

    result = interlock(
        "cases", "answer", number, "undo_in_shopify", "--why", "x", "--text-file", str(message)
    )

    assert (result.exit_code, "takes no text" in result.stderr) == (3, True)
    with database.begin() as c:
        assert c.execute(select(func.count()).select_from(answers)).scalar_one() == 0


def test_a_new_key_takes_over_and_the_former_one_may_go(
    interlock: Run, connection: ConnectionRow, key: str
) -> None:
    del connection
    fresh = document(interlock("db", "new-key", "--json"))["key"]
    done = interlock("db", "rotate-key", "--json", INTERLOCK_KEY=f"{fresh},{key}")
    assert done.exit_code == Exit.DONE
    rewritten = {(one["table"], one["column"]): one["rewritten"] for one in document(done)["columns"]}
    assert rewritten[("connections", "mirakl_key")] == 1
    told = interlock("db", "rotate-key", INTERLOCK_KEY=fresh)
    assert told.exit_code == Exit.DONE
    assert "the former keys may go" in told.stdout
    left = interlock("db", "rotate-key", INTERLOCK_KEY=key)
    assert left.exit_code == Exit.NOT_WELL
    assert "cannot be read" in left.stdout


def test_mappings_are_removed_by_name_and_reason(interlock: Run, connection: ConnectionRow) -> None:
    assert interlock("skus", "map", connection.name, "A", "B").exit_code == Exit.DONE
    refused = interlock("skus", "unmap", connection.name, "A")
    assert refused.exit_code == Exit.REFUSED
    assert "reason" in refused.stderr
    assert "1 mapping removed" in interlock("skus", "unmap", connection.name, "A", "--why", "typo").stdout
    listed = document(interlock("skus", "list", connection.name, "--json"))
    assert listed["mappings"] == []
    assert [(one["present"], one["why"]) for one in listed["history"]] == [("", "typo"), ("B", "")]
    unknown = interlock("carriers", "unmap", connection.name, "DHL", "--why", "gone", "--json")
    assert unknown.exit_code == Exit.REFUSED
    assert document(unknown)["field"] == "shop_name"


def test_somebody_elses_answer_is_only_replaced_by_name(
    interlock: Run, database: Database, edited: int
) -> None:
    number = str(case_of(database, edited))
    first = ("cases", "answer", number, "undo_in_shopify", "--why", "x", "--who", "Ada")
    assert interlock(*first).exit_code == 0
    with database.begin() as c:
        taken = c.execute(update(answers).values(taken_at=NOW).returning(answers.c.id)).scalar_one()

    other = ("cases", "answer", number, "done_in_portal", "--why", "x", "--who", "Bo")
    refused = interlock(*other)

    assert refused.exit_code == 3
    assert (
        f"Ada answered case {number} with 'undo_in_shopify' already (answer {taken})"
        in refused.stderr.replace("\n", " ")
    )
    assert f"(answer {taken})" in interlock("cases", "show", number).output
    assert interlock(*other, "--instead-of", str(taken)).exit_code == 0
    with database.begin() as c:
        assert counts(c)[("answer_refused", "done_in_portal")] == 1
        assert c.execute(select(func.count()).select_from(answers)).scalar_one() == 2


def test_a_key_the_database_was_not_made_with_is_refused_before_anything_is_written(
    interlock: Run, database: Database, keyring: Keyring
) -> None:
    with database.begin() as c:
        open_installation(c, keyring, "first", NOW)
    channel = ("alerts", "channels", "add", "ops", "--url", "json://localhost/")

    result = interlock(*channel, INTERLOCK_KEY=new_key())

    assert result.exit_code == Exit.REFUSED
    assert "the key it was written with is not among the keys given" in result.stderr
    assert document(interlock("alerts", "channels", "--json")) == []
    assert interlock(*channel).exit_code == Exit.DONE


def on_two_marketplaces(database: Database, keyring: Keyring, connection: ConnectionRow) -> tuple[int, int]:
    """Two orders of two marketplaces that bear one number, and one whose number merely begins like it."""
    with database.begin() as c:
        other = connect(c, keyring, "borea", shop="borea-shop.myshopify.com", shop_id=2002)
        first, _ = keep(c, connection, edited_up())
        second, _ = keep(c, other, sku_unknown("M-1001-A"))
        keep(c, connection, shipped_with("DPD", "M-1001-AB"))
    return first, second


@pytest.mark.parametrize("command", ["show", "explain", "replay", "preview", "edit", "undo-link", "create"])
def test_a_number_of_two_marketplaces_asks_for_the_connection(
    interlock: Run, database: Database, keyring: Keyring, connection: ConnectionRow, command: str
) -> None:
    on_two_marketplaces(database, keyring, connection)
    what = ("--undo",) if command in ("preview", "edit") else ()

    result = interlock("order", command, "M-1001-A", *what)

    assert result.exit_code == Exit.REFUSED
    assert result.stderr.strip() == (
        "M-1001-A is the number of more than one order: M-1001-A on borea and M-1001-A on atlas. "
        "Say which with --connection atlas or --connection borea."
    )


def test_the_connection_tells_which_order_is_meant(
    interlock: Run, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    first, second = on_two_marketplaces(database, keyring, connection)

    shown = document(interlock("order", "show", "M-1001-A", "--connection", "borea", "--json"))
    why = document(interlock("order", "explain", "M-1001-A", "--connection", "atlas", "--json"))
    asked = interlock("order", "replay", "M-1001-A", "--connection", "borea", "--who", "Ada")

    assert (shown["id"], shown["connection"]) == (second, "borea")
    assert why["connection"] == "atlas"
    assert any(s.endswith("order replay M-1001-A --connection atlas") for s in why["why"]["would_change"])
    assert asked.exit_code == 0
    with database.begin() as c:
        hints = {row.id: row.hints for row in c.execute(select(orders.c.id, orders.c.hints))}
    assert (hints[first], hints[second]) == (0, 1)


def test_a_number_of_one_order_is_suggested_without_its_connection(interlock: Run, edited: int) -> None:
    why = document(interlock("order", "explain", "M-1001-A", "--json"))["why"]

    assert any(s.endswith("interlock order replay M-1001-A") for s in why["would_change"])


@pytest.mark.parametrize(
    ("number", "connection_name", "said"),
    [
        ("M-1001-A", "nowhere", "There is no connection nowhere. There are: atlas."),
        ("M-404", "atlas", "There is no order M-404 on atlas."),
    ],
)
def test_a_connection_or_order_that_is_not_there_is_named(
    interlock: Run, edited: int, number: str, connection_name: str, said: str
) -> None:
    result = interlock("order", "show", number, "--connection", connection_name)

    assert (result.exit_code, said in result.stderr) == (Exit.NOT_FOUND, True)


def test_a_part_of_a_number_lists_the_orders_it_begins(
    interlock: Run, database: Database, connection: ConnectionRow, edited: int
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("DPD"))

    result = interlock("order", "show", "M-100")

    assert result.exit_code == Exit.REFUSED
    assert "M-1001-A on atlas" in result.stderr
    assert result.stderr.strip().endswith("Or give the marketplace's number in full.")
