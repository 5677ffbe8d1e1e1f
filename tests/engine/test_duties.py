"""What one worker does for all of them is done once per interval, and again at once when it could not be done."""

from datetime import UTC, datetime, timedelta

from interlock.engine.store import duty_is_due, take_duty
from interlock.storage.database import Database

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
EVERY = timedelta(minutes=10)


def test_one_worker_does_it_for_all(database: Database) -> None:
    def taken(at: datetime, name: str = "subscriptions") -> bool:
        with database.begin() as c:
            return take_duty(c, name, at, EVERY)

    assert taken(NOW)
    assert not taken(NOW)
    assert not taken(NOW + timedelta(minutes=9))
    assert taken(NOW, "another")
    assert taken(NOW + EVERY)
    assert not taken(NOW + EVERY)
    with database.begin() as c:
        duty_is_due(c, "subscriptions", NOW + EVERY)
    assert taken(NOW + EVERY)


def test_a_time_set_by_a_clock_that_was_far_ahead_stops_nobody(database: Database) -> None:
    with database.begin() as c:
        assert take_duty(c, "subscriptions", NOW + timedelta(days=1), EVERY)
        assert take_duty(c, "subscriptions", NOW, EVERY)
        assert not take_duty(c, "subscriptions", NOW, EVERY)
