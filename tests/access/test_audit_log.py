"""The audit log only grows, and shows what was done to it."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from interlock.access.audit_log import (
    BEGINNING,
    Asking,
    Did,
    FactRefused,
    Wanted,
    asking,
    audit_log,
    entries,
    found,
    record,
    record_form,
    verify,
)
from interlock.engine.store import count
from interlock.storage.append_only import append_only_tables, without_guards
from interlock.storage.database import Database
from interlock.storage.migrations import check
from interlock.tables import metadata
from tests.console.seed import CLOCK


def three(database: Database) -> None:
    with database.begin() as c:
        record(c, "ada", Did.SIGNED_IN, "person 1", now=CLOCK)
    with database.begin() as c:
        record(c, "ada", Did.CASE_ANSWERED, "case 12", now=CLOCK + timedelta(minutes=1), connection=4)
        record(c, "bo", Did.REVEALED, "order 3", now=CLOCK + timedelta(minutes=2), facts={"why": "Ünïcode ✓"})


def test_entries_are_numbered_and_each_carries_the_digest_of_the_one_before(database: Database) -> None:
    three(database)

    with database.begin() as c:
        kept = list(entries(c))
        whole = verify(c)

    assert [entry.id for entry in kept] == [1, 2, 3]
    assert [entry.previous for entry in kept] == [BEGINNING, kept[0].digest, kept[1].digest]
    assert (whole.whole, whole.entries, whole.head) == (True, 3, kept[2].digest)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET who = 'nobody'",
        "DELETE FROM audit_log WHERE id = 3",
        "DELETE FROM audit_log WHERE false",
        "TRUNCATE audit_log",
    ],
)
def test_the_database_refuses_to_change_or_delete_entries(database: Database, statement: str) -> None:
    three(database)

    with pytest.raises(DBAPIError, match="never changed or deleted"), database.begin() as c:
        c.execute(text(statement))

    with database.begin() as c:
        assert verify(c).entries == 3


@pytest.mark.parametrize(
    ("tampering", "at", "said"),
    [
        (update(audit_log).where(audit_log.c.id == 2).values(who="bo"), 2, "altered"),
        (update(audit_log).where(audit_log.c.id == 2).values(facts={"x": "y"}), 2, "altered"),
        (update(audit_log).where(audit_log.c.id == 2).values(connection_id=None), 2, "altered"),
        (update(audit_log).where(audit_log.c.id == 1).values(at=CLOCK - timedelta(days=1)), 1, "altered"),
        (delete(audit_log).where(audit_log.c.id == 2), 3, "missing"),
        (delete(audit_log).where(audit_log.c.id == 1), 2, "missing"),
        (update(audit_log).where(audit_log.c.id == 3).values(previous=BEGINNING), 3, "does not follow"),
    ],
)
def test_tampering_behind_the_triggers_is_found_where_it_happened(
    database: Database, tampering: object, at: int, said: str
) -> None:
    three(database)
    with database.begin() as c:
        without_guards(c)
        c.execute(tampering)  # type: ignore[call-overload]

    with database.begin() as c:
        walked = verify(c)

    assert (walked.whole, walked.broken_at) == (False, at)
    assert said in walked.why


def test_a_log_whose_end_was_cut_off_shows_against_a_head_that_was_noted(database: Database) -> None:
    three(database)
    with database.begin() as c:
        noted = (3, verify(c).head)
        assert verify(c, noted).whole
        without_guards(c)
        c.execute(delete(audit_log).where(audit_log.c.id == 3))

    with database.begin() as c:
        assert verify(c).whole
        assert verify(c, noted).broken_at == 3


def test_an_entry_is_there_only_if_what_it_tells_of_is(database: Database) -> None:
    c = database.engine.connect()
    record(c, "ada", Did.SIGNED_IN, now=CLOCK)
    c.rollback()
    c.close()

    with database.begin() as c:
        assert list(entries(c)) == []


@pytest.mark.parametrize(
    ("who", "subject", "facts"),
    [("", "x", {}), ("a\nb", "x", {}), ("ada", "x" * 201, {}), ("ada", "x", {"why": "a\x00b"})],
)
def test_an_entry_holds_short_texts_only(
    database: Database, who: str, subject: str, facts: dict[str, str]
) -> None:
    with pytest.raises(FactRefused), database.begin() as c:
        record(c, who, Did.CHANGED, subject, now=CLOCK, facts=facts)


def test_entries_are_found_by_what_they_say_newest_first(database: Database) -> None:
    three(database)

    def numbers(**wanted: object) -> list[int]:
        with database.begin() as c:
            return [entry.id for entry in found(c, Wanted(**wanted))]  # type: ignore[arg-type]

    assert numbers() == [3, 2, 1]
    assert numbers(who="ada") == [2, 1]
    assert numbers(did="revealed") == [3]
    assert numbers(subject="case") == [2]
    assert numbers(subject="%") == []
    assert numbers(since=CLOCK + timedelta(minutes=1)) == [3, 2]
    assert numbers(until=CLOCK + timedelta(minutes=1)) == [1]
    assert numbers(before=3) == [2, 1]


def test_a_form_that_changes_something_leaves_exactly_one_entry(database: Database) -> None:
    form = Asking("ada", "replay", "/orders/3/replay", 4)
    marked = asking.set(form)
    try:
        with database.begin() as c:
            c.execute(text("SELECT 1"))
            record_form(c, form, CLOCK)
        with database.begin() as c:
            count(c, "anything")
            record_form(c, form, CLOCK)
        with database.begin() as c:
            count(c, "anything")
            record_form(c, form, CLOCK)
    finally:
        asking.reset(marked)

    with database.begin() as c:
        (entry,) = entries(c)
    assert (entry.who, entry.did, entry.subject, entry.connection_id) == (
        "ada",
        "changed",
        "/orders/3/replay",
        4,
    )
    assert entry.facts == {"right": "replay"}


def test_a_form_that_wrote_its_own_entry_leaves_no_second(database: Database) -> None:
    form = Asking("ada", "answer_finance", "/cases/3/answer", 4)
    marked = asking.set(form)
    try:
        with database.begin() as c:
            record(c, "ada", Did.CASE_ANSWERED, "case 3", now=CLOCK)
            record_form(c, form, CLOCK)
    finally:
        asking.reset(marked)

    with database.begin() as c:
        assert [entry.did for entry in entries(c)] == ["case_answered"]


def test_a_missing_or_silenced_trigger_is_named(own_database: Database) -> None:
    assert append_only_tables(metadata) == ["audit_log"]
    with own_database.begin() as c:
        c.execute(text("ALTER TABLE audit_log DISABLE TRIGGER only_grows"))

    assert [problem for problem in check(own_database, metadata) if "audit_log" in problem]
