"""The commands about cases as work: the queue, hands, rest, words, causes and their replays, and the catalogue."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from interlock.access import people
from interlock.access.audit_log import entries
from interlock.access.roles import Grant, Person, Role
from interlock.access.store import make_key
from interlock.cases.replays import replay_orders
from interlock.cases.store import answers, case_events, cases, sync_cases
from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.orders.plan import Case
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.store import orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.cli.conftest import Run, document
from tests.console.seed import CLOCK, edited_up, keep, shipped_with
from tests.refunds.test_decide import look, shopify_refund
from tests.web.test_oversold import contest, own_case


@pytest.fixture
def carrier(database: Database, connection: ConnectionRow) -> int:
    """The number of a case about an unknown carrier."""
    with database.begin() as c:
        keep(c, connection, edited_up())
        keep(c, connection, shipped_with("Pigeon Post"))
        found = select(cases.c.id).where(cases.c.reason == Reason.CARRIER_UNKNOWN.value)
        return int(c.execute(found).scalar_one())


def test_the_catalogue_is_a_list_of_whole_entries(interlock: Run) -> None:
    found = document(interlock("cases", "catalogue", "--json"))

    assert [entry["code"] for entry in found] == [reason.value for reason in CATALOGUE]
    for entry in found:
        assert {
            "code",
            "title",
            "kind",
            "handled_by",
            "owner",
            "severity",
            "damage",
            "closes_when",
            "options",
        } <= set(entry)
        assert entry["manual_page"].endswith(f"{entry['code']}.md")
    assert "carrier_unknown" in interlock("cases", "catalogue").output


def test_the_queue_is_filtered(interlock: Run, carrier: int) -> None:
    everything = document(interlock("cases", "list", "--json"))
    operations = document(interlock("cases", "list", "--team", "operations", "--json"))
    nobody = interlock("cases", "list", "--team", "sales")

    assert len(everything) == 2
    assert [one["id"] for one in operations] == [carrier]
    assert operations[0]["status"] == "open"
    assert nobody.exit_code == Exit.NOT_FOUND
    assert interlock("cases", "list", "--status", "lost").exit_code == Exit.USAGE


def test_the_queue_is_filtered_by_who_has_a_case_and_by_how_much_it_presses(
    interlock: Run, carrier: int, database: Database
) -> None:
    with database.begin() as c:
        c.execute(update(cases).values(severity="today"))
        c.execute(update(cases).where(cases.c.id == carrier).values(assignee="Grace", severity="urgent"))

    def found(*options: str) -> list[int]:
        return [one["id"] for one in document(interlock("cases", "list", *options, "--json"))]

    assert found("--assignee", "Grace") == found("--severity", "urgent") == [carrier]
    assert len(found("--assignee", "nobody")) == 1
    assert carrier not in found("--assignee", "nobody")
    assert interlock("cases", "list", "--severity", "loud").exit_code == Exit.NOT_FOUND


def test_a_case_is_given_begun_rested_and_written_to(
    interlock: Run, carrier: int, database: Database
) -> None:
    number = str(carrier)
    given = document(interlock("cases", "assign", number, "Grace", "--who", "Ada", "--json"))
    begun = document(interlock("cases", "begin", number, "--who", "Grace", "--json"))
    taken = interlock("cases", "begin", number, "--who", "Ada")
    rested = document(
        interlock(
            "cases",
            "snooze",
            number,
            "--hours",
            "0.01",
            "--why",
            "It is being asked.",
            "--who",
            "Grace",
            "--json",
        )
    )
    interlock("cases", "comment", number, "The carrier's name is Pigeon Express.", "--who", "Grace")
    shown = document(interlock("cases", "show", number, "--json"))

    assert (given["assignee"], begun["status"], rested["status"]) == ("Grace", "in progress", "snoozed")
    assert taken.exit_code == Exit.REFUSED
    assert [entry["words"] for entry in shown["history"] if entry["words"]] == [
        "It is being asked.",
        "The carrier's name is Pigeon Express.",
    ]
    assert shown["catalogue"]["code"] == "carrier_unknown"
    with database.begin() as c:
        sealed = c.execute(select(case_events.c.words).where(case_events.c.words.is_not(None))).scalars()
        assert not any(b"Pigeon" in words for words in sealed)
    assert "History" in interlock("cases", "show", number).output


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("assign", "999999", "Ada"), Exit.NOT_FOUND),
        (("comment", "CASE", "  "), Exit.REFUSED),
        (("snooze", "CASE", "--hours", "1"), Exit.REFUSED),
        (("snooze", "CASE", "--hours", "900", "--why", "Later."), Exit.REFUSED),
        (("replay", "999999"), Exit.NOT_FOUND),
        (("replay", "CASE", "--answer", "map_carrier"), Exit.USAGE),
        (("progress", "999999"), Exit.NOT_FOUND),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    interlock: Run, database: Database, carrier: int, arguments: tuple[str, ...], exit_code: Exit
) -> None:
    before = len(document(interlock("cases", "show", str(carrier), "--json"))["history"])

    said = interlock("cases", *(str(carrier) if word == "CASE" else word for word in arguments))

    assert said.exit_code == exit_code
    assert len(document(interlock("cases", "show", str(carrier), "--json"))["history"]) == before


def test_a_cause_says_how_many_it_frees_before_it_frees_them(
    interlock: Run, database: Database, carrier: int
) -> None:
    (cause,) = document(interlock("cases", "causes", "--json"))
    asked = document(interlock("cases", "replay", str(carrier), "--json"))
    begun = document(interlock("cases", "replay", str(carrier), "--yes", "--json"))

    assert (cause["cause"], cause["orders"], cause["case"]) == ("pigeon post", 1, carrier)
    assert asked == {"orders": 1, "left_out": 0, "replay": None}
    assert begun["orders"] == 1
    running = document(interlock("cases", "progress", str(begun["replay"]), "--json"))
    assert (running["total"], running["under_way"], running["done"]) == (1, 1, 0)
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    stuck = document(interlock("cases", "progress", str(begun["replay"]), "--json"))
    assert stuck["blocked"] == 1
    assert "Pigeon Post" in stuck["why"][0][0]
    assert "pigeon post" in interlock("cases", "progress").output


def test_a_replay_that_tries_one_order_at_a_time_says_so(
    interlock: Run,
    database: Database,
    connection: ConnectionRow,
    carrier: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon Post", "M-1003-A"))
    begun = document(interlock("cases", "replay", str(carrier), "--yes", "--json"))
    with database.begin() as c:
        c.execute(update(replay_orders).where(replay_orders.c.place == 1).values(woken_at=NOW))
        c.execute(update(replay_orders).where(replay_orders.c.place == 2).values(woken_at=None))
    monkeypatch.setattr("interlock.cases.replays.LATE_IN_A_ROW", 1)

    said = interlock("cases", "progress", str(begun["replay"]))

    assert said.exit_code == 0
    assert "the next ones are tried one by one" in said.output


def test_every_case_of_a_cause_is_answered_with_one_command(
    interlock: Run, database: Database, carrier: int
) -> None:
    number, given = str(carrier), ("--answer", "send_again", "--why", "It is put right.", "--who", "Ada")
    elsewhere = interlock("cases", "replay", number, *given, "--yes")
    with database.begin() as c:
        row = cases.c.id == carrier
        c.execute(
            update(cases).where(row).values(reason="shipping_refused", options=["send_again"], cause="or24")
        )

    said = interlock("cases", "replay", number).output
    asked = document(interlock("cases", "replay", number, *given, "--json"))
    begun = document(interlock("cases", "replay", number, *given, "--yes", "--json"))
    again = interlock("cases", "replay", number, *given, "--yes")

    assert (elsewhere.exit_code, again.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert "Looking at them again changes nothing" in said
    assert (asked, begun["orders"]) == ({"orders": 1, "left_out": 0, "replay": None}, 1)
    (found,) = [document(interlock("cases", "progress", str(begun["replay"]), "--json"))]
    assert found["option"] == "send_again"
    with database.begin() as c:
        kept = c.execute(select(answers.c.option, answers.c.who, answers.c.why)).one()
    assert tuple(kept) == ("send_again", "Ada", "It is put right.")


def test_a_case_of_its_own_order_has_no_cause_to_replay(
    interlock: Run, database: Database, carrier: int
) -> None:
    with database.begin() as c:
        other = c.execute(select(cases.c.id).where(cases.c.id != carrier)).scalar_one()

    said = interlock("cases", "replay", str(other), "--yes")

    assert said.exit_code == Exit.REFUSED
    assert "has no cause" in said.output + said.stderr


def test_refund_tasks_are_listed_with_their_figures(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    assert "No refund waits" in interlock("tasks", "list").output
    with database.begin() as c:
        keep(c, connection, look(shopify_refund()))

    (task,) = document(interlock("tasks", "list", "--json"))

    assert (task["reason"], task["total"], task["currency"]) == ("refund_task", "12.00", "EUR")
    assert [(line["line_id"], line["units"], line["amount"]) for line in task["lines"]] == [
        ("L1", 1, "10.00")
    ]
    assert task["commission"] is not None
    assert "refund" in interlock("tasks", "list").output
    assert document(interlock("tasks", "list", "--late", "--json")) != []
    assert interlock("tasks", "list", "--reason", "carrier_unknown").exit_code == Exit.USAGE
    assert interlock("tasks", "list", "--connection", "nowhere").exit_code == Exit.NOT_FOUND


def test_a_refund_is_approved_on_the_command_line_with_a_key_of_ones_own_alone(
    interlock: Run, database: Database, connection: ConnectionRow, keyring: Keyring, tmp_path: Path
) -> None:
    options = (Option.APPROVE_REFUND, Option.DISMISS)
    wanted = Case(Reason.REFUND_APPROVAL, "edit:1", "Somebody has to approve it.", options)
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        sync_cases(c, order_id, connection.id, (wanted,), CLOCK, False)
        of_approval = cases.c.reason == Reason.REFUND_APPROVAL.value
        case_id = str(c.execute(select(cases.c.id).where(of_approval)).scalar_one())
        secrets = {}
        for handle, role in (("kim", Role.FINANCE), ("vic", Role.VIEWER)):
            number = people.add_person(c, keyring, handle, handle, "", [Grant(role)], "test", CLOCK)
            owner = Person(number, handle, (Grant(role),))
            _, secrets[handle] = make_key(c, handle, ["cases:answer"], handle, CLOCK, owner)
        _, secrets["program"] = make_key(c, "erp", ["cases:answer"], "eve", CLOCK)
    how = ("cases", "answer", case_id, "approve_refund", "--why", "Compared.")

    typed = interlock(*how, "--who", "kim")
    assert typed.exit_code == Exit.REFUSED
    assert "anybody could have typed this name" in typed.stderr
    for name, said in (("vic", "does not have the right"), ("program", "no personal key")):
        file = tmp_path / name
        file.write_text(secrets[name])
        refused = interlock(*how, "--key-file", str(file))
        assert refused.exit_code == Exit.REFUSED
        assert said in refused.stderr
    file = tmp_path / "kim"
    file.write_text(secrets["kim"] + "\n")
    assert "kim answered" in interlock(*how, "--who", "somebody else", "--key-file", str(file)).stdout
    with database.begin() as c:
        assert list(c.execute(select(answers.c.who)).scalars()) == ["kim"]
        assert [one.who for one in entries(c) if one.did == "changed"] == ["kim"]


def test_an_order_loses_early_where_more_was_sold_than_there_is(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        first, _, _ = contest(c, connection)
        own = own_case(c, first)

    assert document(interlock("cases", "show", str(own), "--json"))["options"] == ["map_sku", "refuse_order"]
    answered = interlock(
        "cases", "answer", str(own), "refuse_order", "--why", "The other was first.", "--who", "Ada"
    )
    assert answered.exit_code == 0, answered.output
    with database.begin() as c:
        assert c.execute(select(answers.c.order_id, answers.c.option)).all() == [(first, "refuse_order")]
