"""Logs: only what is listed, never a person."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from interlock import logs
from tests.lines import plain

CANARY = "Amélie Canary, 12 rue de la Paix"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the configured logs wrote, in production's form; the former configuration comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream, now=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    yield stream
    plain()
    root.handlers = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_listed_field_is_written_with_the_ports_time(written: io.StringIO) -> None:
    logs.logger(connection="north").info("hold.placed", order="M-1", attempt=2)

    assert lines(written) == [
        {
            "connection": "north",
            "order": "M-1",
            "attempt": 2,
            "event": "hold.placed",
            "level": "info",
            "timestamp": "2026-11-24T00:00:00.000+00:00",
        }
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"customer": CANARY},
        {"order": CANARY + "x" * 200},
        {"reason": f"canary@example.test {CANARY}"},
        {"reason": {"name": CANARY}},
        {"reason": [CANARY]},
        {"reason": CANARY.encode()},
        {"exception": CANARY},
        {"stack": CANARY},
    ],
)
def test_what_could_be_about_a_person_is_dropped_and_counted(
    written: io.StringIO, fields: dict[str, Any]
) -> None:
    before = sum(logs.dropped_fields().values())

    logs.logger().info("hold.placed", **fields)

    assert "Canary" not in written.getvalue()
    assert len(lines(written)) == 1
    assert sum(logs.dropped_fields().values()) == before + 1


def test_free_text_is_no_event(written: io.StringIO) -> None:
    logs.logger().info(f"could not reach {CANARY}")

    assert lines(written)[0]["event"] == "[withheld]"


def test_an_error_is_its_class_and_place_and_not_its_text(written: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logs.logger().exception("hold.failed")

    (line,) = lines(written)
    assert "Canary" not in written.getvalue()
    assert line["error"] == "ValueError"
    assert line["frames"][0].startswith("tests.house.test_logs:")


def test_what_a_library_logs_is_reported_without_its_text(written: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("some.library").exception("failed for %s", CANARY)
    logging.getLogger("some.library").info("chatter about %s", CANARY)

    (line,) = lines(written)
    assert "Canary" not in written.getvalue()
    assert (line["event"], line["library"], line["error"]) == (
        "library.reported",
        "some.library",
        "ValueError",
    )


def test_lines_for_a_person_keep_the_same_rules() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    try:
        logs.logger().info("hold.placed", order="M-1", customer=CANARY)
    finally:
        plain()
        logging.getLogger().handlers = []

    assert "hold.placed" in stream.getvalue()
    assert "Canary" not in stream.getvalue()


def test_lines_below_the_level_are_not_written(written: io.StringIO) -> None:
    logs.logger().debug("hold.considered")

    assert lines(written) == []
