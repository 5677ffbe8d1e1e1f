"""Fix once, replay all: one answer frees five thousand orders, a few at a time, and its progress is in sight."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, and_, event, func, insert, select, text, update

from interlock.cases.replays import (
    LATE_IN_A_ROW,
    MOST_AT_ONCE,
    PLACE_HELD_FOR,
    TRIED_EVERY,
    Answerable,
    answer_all,
    answerable,
    begin,
    impact,
    latest,
    progress,
    replay_orders,
)
from interlock.cases.store import answers, case_events, cases
from interlock.engine.replays import answer_and_replay, replay_all, wake_next
from interlock.orders.codec import encode
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders, take_lease
from interlock.storage.database import Database
from tests.build import NOW, not_imported
from tests.console.seed import Wakes
from tests.effort import calls_made
from tests.engine.rows import a_connection

MANY = 5000
CARRIER = Reason.CARRIER_UNKNOWN


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


def blocked(c: Connection, number: int, cause: str = "royal mail 24", state: str = "SHIPPING") -> int:
    """So many orders that one carrier stops, made in SQL; returns the connection. Odd ones do damage first."""
    connection_id = a_connection(c)
    c.execute(
        text(
            "INSERT INTO orders (connection_id, mirakl_order_id, commercial_id, created_at, memory, mirakl_state) "
            "SELECT :connection, 'M-' || n, '', :now, '{}', :state FROM generate_series(1, :number) n"
        ),
        {"connection": connection_id, "now": NOW, "number": number, "state": state},
    )
    c.execute(
        text(
            "INSERT INTO cases (order_id, connection_id, kind, reason, subject, owner, severity, sentence, options, facts, "
            "cause, damage_at, at_risk, currency, first_opened_at, opened_at) "
            "SELECT id, connection_id, 'condition', 'carrier_unknown', 'Royal Mail 24', 'operations', 'today', "
            "'It is not mapped.', '[\"map_carrier\"]', '[]', :cause, "
            "CAST(:now AS timestamptz) + ((id % 2) * -1 + 48) * interval '1 hour', 10.50, 'EUR', :now, :now FROM orders"
        ),
        {"now": NOW, "cause": cause},
    )
    return connection_id


def looked_at(c: Connection, *, settled: bool = True) -> None:
    """What the workers do: answer every hint, and settle the cases of those orders."""
    hinted = select(orders.c.id).where(orders.c.hints > orders.c.handled)
    if settled:
        gone = update(cases).where(cases.c.order_id.in_(hinted)).values(closed_at=NOW, closed_because="Gone.")
        c.execute(gone)
    c.execute(update(orders).where(orders.c.id.in_(hinted)).values(handled=orders.c.hints))


def test_five_thousand_orders_are_freed_by_one_answer_a_few_at_a_time(c: Connection) -> None:
    connection_id = blocked(c, MANY)
    wakes, statements = Wakes(), []
    event.listen(c, "before_cursor_execute", lambda *args: statements.append(args[2]))
    before = impact(c, connection_id, CARRIER, ["Royal Mail 24"])
    assert (before.orders, before.first_damage_at) == (MANY, NOW + timedelta(hours=47))
    assert [(str(money), currency) for money, currency in before.money] == [("52500.00", "EUR")]

    statements.clear()
    replay_id, made = calls_made(
        lambda: replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)
    )

    assert replay_id is not None
    # The answer costs the same few statements however many orders wait; only the first orders are woken with it.
    assert len(statements) < 12 + MOST_AT_ONCE
    assert made < 10 * MANY, "a few steps for each order; what the database does is in those statements"
    assert len(wakes.woken) == MOST_AT_ONCE
    assert {lane for _, lane in wakes.woken} == {"rest"}
    odd = c.execute(
        select(orders.c.id).where(orders.c.id.in_([o for o, _ in wakes.woken]), orders.c.id % 2 == 1)
    )
    assert len(odd.all()) == MOST_AT_ONCE, "soonest damage first"
    assert wake_next(c, wakes, NOW) == 0, "nobody has looked at the first ones yet"

    rounds = 0
    while wake_next_after_a_look(c, wakes):
        rounds += 1
        assert in_flight(c) <= MOST_AT_ONCE
    found = progress(c, replay_id, NOW)
    assert found is not None
    assert (found.total, found.done, found.waiting, found.under_way, found.blocked) == (MANY, MANY, 0, 0, 0)
    assert found.ended
    assert len({order for order, _ in wakes.woken}) == len(wakes.woken) == MANY
    assert rounds == MANY // MOST_AT_ONCE - 1


def wake_next_after_a_look(c: Connection, wakes: Wakes) -> int:
    looked_at(c)
    return wake_next(c, wakes, NOW)


def in_flight(c: Connection) -> int:
    return int(
        c.execute(
            select(func.count())
            .select_from(replay_orders)
            .join(orders, orders.c.id == replay_orders.c.order_id)
            .where(replay_orders.c.woken_at.is_not(None), orders.c.hints > orders.c.handled)
        ).scalar_one()
    )


def test_progress_tells_the_waiting_from_the_blocked_and_says_why(c: Connection) -> None:
    connection_id = blocked(c, MOST_AT_ONCE + 7)
    wakes = Wakes()
    replay_id = replay_all(c, wakes, connection_id, CARRIER, ["ROYAL MAIL 24"], "Ada", NOW)
    assert replay_id is not None
    woken = [order for order, _ in wakes.woken]
    c.execute(
        update(cases)
        .where(cases.c.order_id.in_(woken[:4]))
        .values(sentence="The marketplace takes no unregistered carrier.")
    )
    c.execute(
        update(cases).where(cases.c.order_id.in_(woken[5:])).values(closed_at=NOW, closed_because="Gone.")
    )
    c.execute(update(orders).where(orders.c.id != woken[4]).values(handled=orders.c.hints))

    found = progress(c, replay_id, NOW)

    assert found is not None
    assert not found.ended
    assert (found.total, found.done, found.waiting) == (MOST_AT_ONCE + 7, MOST_AT_ONCE - 5, 7)
    assert (found.under_way, found.blocked) == (1, 4)
    assert found.why == (("The marketplace takes no unregistered carrier.", 4),)
    assert [one.id for one in latest(c, NOW)] == [replay_id]


def test_an_order_that_waits_for_acceptance_goes_into_that_lane(c: Connection) -> None:
    connection_id = blocked(c, 1, state="WAITING_ACCEPTANCE")
    wakes = Wakes()

    replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)

    assert [lane for _, lane in wakes.woken] == ["acceptance"]


def test_a_cause_nobody_waits_for_begins_nothing(c: Connection) -> None:
    connection_id = blocked(c, 3)

    assert begin(c, connection_id, CARRIER, ["Pony"], "Ada", NOW) is None
    assert begin(c, connection_id, CARRIER, [""], "Ada", NOW) is None
    assert begin(c, connection_id, Reason.SKU_UNKNOWN, ["Royal Mail 24"], "Ada", NOW) is None
    assert impact(c, connection_id, CARRIER, ["Pony"]).orders == 0
    assert latest(c, NOW) == []


def test_one_answer_is_kept_for_each_case_that_offers_it_and_has_none(c: Connection) -> None:
    connection_id = blocked(c, 4)
    first, second = c.execute(select(cases).order_by(cases.c.id).limit(2)).all()
    c.execute(update(cases).where(cases.c.id == first.id).values(options=[]))
    c.execute(
        insert(answers).values(
            order_id=second.order_id,
            reason=second.reason,
            subject=second.subject,
            option="map_carrier",
            who="Grace",
            why="It is RM24.",
            at=NOW - timedelta(minutes=1),
        )
    )

    option = Option.MAP_CARRIER
    assert (
        answer_all(c, connection_id, CARRIER, "Royal Mail 24", option, "Ada", "It is RM24.", NOW).cases == 2
    )
    assert (
        answer_all(c, connection_id, CARRIER, "Royal Mail 24", option, "Ada", "It is RM24.", NOW).cases == 0
    )
    history = c.execute(select(case_events.c.case_id, case_events.c.what).order_by(case_events.c.id)).all()
    assert [(row.case_id - first.id, row.what) for row in history] == [(2, "answered"), (3, "answered")]


def test_only_the_orders_that_were_answered_are_looked_at_because_of_it(c: Connection) -> None:
    connection_id = blocked(c, 3)
    first = c.execute(select(cases).order_by(cases.c.id).limit(1)).one()
    c.execute(update(cases).where(cases.c.id != first.id).values(options=["send_again"]))
    wakes, again = Wakes(), Option.SEND_AGAIN
    assert answerable(c, connection_id, CARRIER, "Royal Mail 24", again, "Ada") == Answerable(2, 2)

    replay_id = answer_and_replay(c, wakes, connection_id, CARRIER, "Royal Mail 24", again, "Ada", "So.", NOW)

    assert replay_id is not None
    assert sorted(order for order, _ in wakes.woken) == [first.order_id + 1, first.order_id + 2]
    found = progress(c, replay_id, NOW)
    assert found is not None
    assert (found.option, found.total, found.under_way) == ("send_again", 2, 2)
    given = c.execute(select(answers.c.option, answers.c.who, answers.c.why)).all()
    assert [tuple(row) for row in given] == [("send_again", "Ada", "So.")] * 2
    assert answerable(c, connection_id, CARRIER, "Royal Mail 24", again, "Ada") == Answerable(0, 0)
    later = NOW + timedelta(seconds=1)
    assert (
        answer_and_replay(c, wakes, connection_id, CARRIER, "Royal Mail 24", again, "Eve", "So.", later)
        is None
    )


@pytest.mark.parametrize(
    ("said", "who", "at", "left_out"),
    [
        (("done_in_portal",), "Grace", NOW, 1),
        (("send_again",), "Grace", NOW, 0),
        (("done_in_portal",), "Ada", NOW, 0),
        (("done_in_portal", "send_again"), "Grace", NOW, 0),
        (("send_again", "done_in_portal"), "Grace", NOW, 1),
        (("done_in_portal",), "Grace", NOW - timedelta(hours=1), 0),
    ],
    ids=[
        "somebody else's other answer stands",
        "the same answer is given again",
        "one's own other answer is replaced",
        "the last answer counts",
        "the last answer counts, the other way round",
        "an answer from before it opened is over",
    ],
)
def test_one_answer_to_all_overrules_nobodys_decision_on_one_order(
    c: Connection, said: tuple[str, ...], who: str, at: datetime, left_out: int
) -> None:
    connection_id = blocked(c, 3)
    c.execute(
        update(cases).values(options=["send_again", "done_in_portal"], opened_at=NOW - timedelta(minutes=1))
    )
    first = c.execute(select(cases).order_by(cases.c.id).limit(1)).one()
    for option in said:
        given = {"reason": first.reason, "subject": first.subject, "why": "So.", "taken_at": NOW}
        c.execute(insert(answers).values(order_id=first.order_id, option=option, who=who, at=at, **given))
    again, later = Option.SEND_AGAIN, NOW + timedelta(minutes=1)

    expected = Answerable(3 - left_out, 3 - left_out, left_out)
    assert answerable(c, connection_id, CARRIER, "Royal Mail 24", again, "Ada") == expected
    replay_id = answer_and_replay(
        c, Wakes(), connection_id, CARRIER, "Royal Mail 24", again, "Ada", "Put right.", later
    )

    assert replay_id is not None
    found = progress(c, replay_id, NOW)
    assert found is not None
    assert (found.total, found.left_out) == (3 - left_out, left_out)
    last = select(answers.c.option, answers.c.who).where(answers.c.order_id == first.order_id)
    decided = c.execute(last.order_by(answers.c.id.desc()).limit(1)).one()
    assert tuple(decided) == ((said[-1], who) if left_out else ("send_again", "Ada"))


def crashed(c: Connection, woken: list[int], now: datetime) -> None:
    """What a look leaves that ends in an error: a lease that runs out, and the hint unanswered."""
    c.execute(update(orders).where(orders.c.id.in_(woken)).values(memory=encode(not_imported())))
    for order_id in woken:
        assert take_lease(c, order_id, "worker", now, now + timedelta(seconds=60)) is not None


def test_orders_that_crash_give_their_places_back_and_are_counted_as_late(c: Connection) -> None:
    connection_id = blocked(c, MOST_AT_ONCE + 5)
    wakes = Wakes()
    replay_id = replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)
    assert replay_id is not None
    poison = [order for order, _ in wakes.woken]
    assert len(poison) == MOST_AT_ONCE
    for again in (NOW, NOW + timedelta(seconds=60)):
        crashed(c, poison, again)
        assert wake_next(c, wakes, again) == 0

    later, others = NOW + TRIED_EVERY, orders.c.id.not_in(poison)
    for woken in (1, 4):
        assert wake_next(c, wakes, later) == woken
        c.execute(update(orders).where(others).values(handled=orders.c.hints))
    c.execute(
        update(cases).where(cases.c.order_id.not_in(poison)).values(closed_at=NOW, closed_because="Gone.")
    )
    found = progress(c, replay_id, later)
    assert found is not None
    assert (found.done, found.under_way, found.late, found.blocked) == (5, 0, MOST_AT_ONCE, 0)
    assert found.ended
    # Once a look has ended, it is blocked like any other; a hint that comes later changes nothing of that.
    c.execute(update(orders).values(handled=orders.c.hints))
    c.execute(update(orders).values(hints=orders.c.hints + 1))
    found = progress(c, replay_id, later)
    assert found is not None
    assert (found.done, found.under_way, found.late, found.blocked) == (5, 0, 0, MOST_AT_ONCE)


def test_a_replay_whose_orders_crash_holds_no_other_one_up(c: Connection) -> None:
    connection_id = blocked(c, 200)
    half = select(cases.c.id).order_by(cases.c.id).limit(100)
    c.execute(update(cases).where(cases.c.id.in_(half)).values(cause="pony"))
    wakes, now = Wakes(), NOW
    poisoned = replay_all(c, wakes, connection_id, CARRIER, ["Pony"], "Ada", now)
    crashed(c, [order for order, _ in wakes.woken], now)
    sound = replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Grace", now)
    assert poisoned is not None
    assert sound is not None
    assert len(wakes.woken) == MOST_AT_ONCE, "twenty are on their way"

    now += PLACE_HELD_FOR
    of_pony = select(cases.c.order_id).where(cases.c.cause == "pony")
    rounds = 0
    while (found := progress(c, sound, now)) is not None and not found.ended:
        wake_next(c, wakes, now)
        assert in_flight(c) <= 2 * MOST_AT_ONCE, "the late ones, and twenty others"
        sane = and_(orders.c.id.not_in(of_pony), orders.c.hints > orders.c.handled)
        c.execute(update(orders).where(sane).values(handled=orders.c.hints))
        rounds += 1

    assert rounds == 100 // (MOST_AT_ONCE // 2), "half of the places at a time, without another wait"
    stuck = progress(c, poisoned, now)
    assert stuck is not None
    assert (stuck.late, stuck.under_way) == (MOST_AT_ONCE, 0)


def test_a_replay_whose_orders_crash_in_a_row_tries_one_at_a_time_until_one_goes_well(c: Connection) -> None:
    connection_id = blocked(c, 200)
    wakes = Wakes()
    replay_id = replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)
    assert replay_id is not None
    assert not slowed(c, replay_id, NOW)

    def woken_at(minutes: float) -> int:
        return wake_next(c, wakes, NOW + timedelta(minutes=minutes))

    assert [woken_at(minutes) for minutes in (1, 2, 10, 14.9)] == [0, 0, 0, 0]
    assert slowed(c, replay_id, NOW + PLACE_HELD_FOR)
    assert [woken_at(minutes) for minutes in (15, 16, 29.9, 30)] == [1, 0, 0, 1]
    assert len(wakes.woken) == MOST_AT_ONCE + 2

    tried, _ = wakes.woken[-1]
    c.execute(update(orders).where(orders.c.id == tried).values(handled=orders.c.hints))
    assert not slowed(c, replay_id, NOW + timedelta(minutes=31))
    assert woken_at(31) == MOST_AT_ONCE


@pytest.mark.parametrize(("well", "woken"), [(LATE_IN_A_ROW - 1, 0), (LATE_IN_A_ROW, MOST_AT_ONCE)])
def test_late_orders_slow_their_replay_only_where_none_after_them_went_well(
    c: Connection, well: int, woken: int
) -> None:
    connection_id = blocked(c, 200)
    wakes = Wakes()
    replay_id = replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)
    assert replay_id is not None
    named = and_(replay_orders.c.replay_id == replay_id, replay_orders.c.place == well + 1)
    found = c.execute(select(replay_orders.c.order_id).where(named)).scalar_one()
    c.execute(update(orders).where(orders.c.id == found).values(handled=orders.c.hints))
    later = NOW + PLACE_HELD_FOR

    assert slowed(c, replay_id, later) is (woken == 0)
    assert wake_next(c, wakes, later) == woken


def slowed(c: Connection, replay_id: int, now: datetime) -> bool:
    found = progress(c, replay_id, now)
    assert found is not None
    return found.slowed


def test_a_look_that_could_not_read_shopify_is_none(c: Connection) -> None:
    connection_id = blocked(c, 2 * MOST_AT_ONCE)
    wakes = Wakes()
    replay_id = replay_all(c, wakes, connection_id, CARRIER, ["Royal Mail 24"], "Ada", NOW)
    assert replay_id is not None
    c.execute(update(orders).where(orders.c.hints > 0).values(handled=orders.c.hints, shopify_unread=True))

    assert wake_next(c, wakes, NOW) == 0, "they hold their places"
    found = progress(c, replay_id, NOW)
    assert found is not None
    assert (found.under_way, found.blocked, found.why) == (MOST_AT_ONCE, 0, ())
    assert wake_next(c, wakes, NOW + PLACE_HELD_FOR) == 0, "nothing can be read"
    assert slowed(c, replay_id, NOW + PLACE_HELD_FOR)
    c.execute(update(orders).values(shopify_unread=False))
    assert wake_next(c, wakes, NOW + PLACE_HELD_FOR) == MOST_AT_ONCE
