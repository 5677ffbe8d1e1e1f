"""Which channels hear of an alert, and from when, in values."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.monitoring.decide import Alert
from interlock.monitoring.routing import HoursUnreadable, Route, Way, hours_from, ways_for

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday
MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
OFFICE = hours_from("mon-fri 08:00-18:00")


def alert(severity: str = "message", team: str = "operations", connection_id: int | None = 7) -> Alert:
    return Alert("k", "g", severity, (team,), "what", connection_id=connection_id)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        (Route(1, 1), True),
        (Route(1, 1, team="operations"), True),
        (Route(1, 1, team="finance"), False),
        (Route(1, 1, severity="message"), True),
        (Route(1, 1, severity="page"), False),
        (Route(1, 1, connection_id=7), True),
        (Route(1, 1, connection_id=8), False),
        (Route(1, 1, team="operations", severity="message", connection_id=7), True),
    ],
)
def test_a_route_takes_what_it_names(route: Route, takes: bool) -> None:
    assert route.takes(alert()) is takes


def test_an_alert_of_no_connection_reaches_every_connections_route() -> None:
    assert Route(1, 1, connection_id=8).takes(alert(connection_id=None))


def test_quiet_hours_delay_a_message_and_never_a_page() -> None:
    routes = (Route(1, 4, hours=OFFICE),)

    assert ways_for(alert("message"), routes, (4,), NIGHT) == (Way(4, MORNING),)
    assert ways_for(alert("page"), routes, (4,), NIGHT) == (Way(4, NIGHT),)


def test_a_channel_is_used_once_at_the_earliest_of_its_routes() -> None:
    routes = (Route(1, 4, hours=OFFICE), Route(2, 4, team="operations"))

    assert ways_for(alert(), routes, (4,), NIGHT) == (Way(4, NIGHT),)


def test_a_page_that_no_route_takes_goes_everywhere_and_a_message_nowhere() -> None:
    assert ways_for(alert("page"), (), (4, 5), NIGHT) == (Way(4, NIGHT), Way(5, NIGHT))
    assert ways_for(alert("message"), (), (4, 5), NIGHT) == ()


@pytest.mark.parametrize(
    ("text", "at", "opens"),
    [
        ("08:00-18:00", NIGHT, MORNING),
        ("08:00-18:00", MORNING, MORNING),
        ("08:00-18:00", MORNING.replace(hour=18), MORNING + timedelta(days=1)),
        ("mon-fri 08:00-18:00", MORNING.replace(day=7), MORNING.replace(day=9)),
        ("22:00-06:00", NIGHT, NIGHT),
        ("22:00-06:00", MORNING, MORNING.replace(hour=22)),
        ("sun 22:00-06:00", NIGHT, NIGHT),
        ("mon 22:00-06:00", NIGHT, NIGHT.replace(hour=22)),
    ],
)
def test_when_hours_open(text: str, at: datetime, opens: datetime) -> None:
    from zoneinfo import ZoneInfo

    hours = hours_from(text)
    assert hours is not None
    assert hours.opens(at, ZoneInfo("UTC")) == opens


def test_hours_are_the_readers() -> None:
    routes = (Route(1, 4, hours=OFFICE, zone="America/New_York"),)

    assert ways_for(alert(), routes, (4,), NIGHT) == (Way(4, datetime(2026, 3, 2, 13, 0, tzinfo=UTC)),)


@pytest.mark.parametrize(
    "text", ["8-18", "08:00-08:00", "24:00-25:00", "fri-mon 08:00-18:00", "today", "x y z"]
)
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(HoursUnreadable, match="Nothing was changed"):
        hours_from(text)


def test_no_hours_are_always() -> None:
    assert hours_from("") is None
    assert hours_from("Always") is None
