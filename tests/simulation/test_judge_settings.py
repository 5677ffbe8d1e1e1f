"""The judge reads the title of a shipping method on the order that was made after it was set, and what becomes of a setting that
the marketplace refuted once a person had their say."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from interlock.orders.codec import encode
from interlock.orders.connection import ShippingMethod
from interlock.rehearsal.judging.evidence import SettingSaid, shows_all
from tests.simulation.bench import NAME, Bench, a_case

MINUTE = timedelta(minutes=1)
SAID = "The shipping line is not called what the settings call its shipping method."


def _titled(bench: Bench, title: str, minutes: float) -> None:
    """The title is set so long after the marketplace's order came to be."""
    method = ShippingMethod(bench.order.shipping_type_code, title)
    bench.sql(
        "UPDATE connections SET rules = jsonb_set(rules, '{shipping_methods}', jsonb_build_array(CAST(:method AS jsonb))), "
        "rules_changed_at = :at",
        method=json.dumps(encode(method)),
        at=bench.order.created + timedelta(minutes=minutes),
    )


def _said(bench: Bench) -> list[str]:
    return [f.sentence for f in bench.judge().broken if f.sentence == SAID]


def _shown(bench: Bench) -> str:
    return bench.world.shopify.order(bench.shopify_gid).shipping_lines[0].title


def test_a_shipping_line_that_is_called_otherwise(bench: Bench) -> None:
    _titled(bench, "By bicycle", -2)
    assert _said(bench) == [SAID]


def test_a_shipping_line_that_is_called_as_the_settings_say(bench: Bench) -> None:
    _titled(bench, _shown(bench), -2)
    assert _said(bench) == []
    assert bench.judge().checked["shipping title"] == 1


def test_a_title_that_was_set_after_the_order_was_made(bench: Bench) -> None:
    _titled(bench, "By bicycle", 60)
    assert _said(bench) == []
    assert bench.judge().checked["shipping title"] == 0


def test_a_title_that_was_set_while_a_look_was_under_way(bench: Bench) -> None:
    query = "SELECT min(planned_at) FROM operations WHERE kind IN ('CreateDraft', 'CreateOrder')"
    made = bench.connection.execute(text(query)).scalar_one()
    _titled(bench, "By bicycle", (made - bench.order.created) / MINUTE - 0.001)
    assert _said(bench) == []


# -- what a person says of a setting that the marketplace refuted ------------------------------------------

OPEN_STILL = "and its case stayed open"
CALLED_AGAIN = "was called refuted again, and the marketplace had not answered anew"
SHOWN_BEFORE = "The profile shows what was so before a person had their say."
NOT_LOOKED_AT = "was said anew and an order that waited was not looked at again"
UNTOLD = "refused what the setting partial_cancelation says that it allows, and no case says so"


def _refuted(bench: Bench, opened: datetime, closed: datetime | None) -> None:
    """The connection had a case about its setting from then on until then."""
    bench.sql(
        "WITH planted AS (INSERT INTO cases (connection_id, kind, reason, subject, owner, severity, sentence, options, facts, "
        "first_opened_at, opened_at, closed_at) SELECT id, 'condition', 'setting_refuted', 'partial_cancelation', "
        "'operations', 'today', 'planted', '[]', '[]', :at, :at, :closed FROM connections RETURNING *) "
        "INSERT INTO case_events (case_id, at, who, what) SELECT id, opened_at, 'Interlock', 'opened' FROM planted "
        "UNION ALL SELECT id, closed_at, 'Interlock', 'closed' FROM planted WHERE closed_at IS NOT NULL",
        at=opened,
        closed=closed,
    )


def _word(bench: Bench, seconds: float = 400) -> datetime:
    """Somebody says the setting anew, so long after the edit; the connection's settings are kept then."""
    at = bench.edit_at() + timedelta(seconds=seconds)
    bench.settings_said.append(SettingSaid(bench.world.connection_ids[NAME], "partial_cancelation", at))
    bench.sql("UPDATE connections SET rules_changed_at = :at", at=at)
    return at


def _refusal(bench: Bench, at: datetime, code: str = "FEATURE_DISABLED") -> None:
    """The marketplace refuses a cancelation of units, and our ledger has heard it."""
    call = bench.call("OR30")
    operation = str(call.reference).partition(".")[0]
    bench.sql(
        "UPDATE operations SET state = 'REJECTED', code = :code WHERE id = :id", id=operation, code=code
    )
    calls = bench.mirakl.record.calls
    calls[calls.index(call)] = replace(call, status=403, at=at, ended_at=at)


def _sentences(bench: Bench) -> str:
    return " ".join(finding.sentence for finding in bench.judge().broken)


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("closed", "broken"),
    [
        pytest.param(0.0, False, id="there and then"),
        pytest.param(90.0, True, id="later"),
        pytest.param(None, True, id="never"),
    ],
)
def test_a_word_closes_the_case_of_a_refuted_setting(
    bench: Bench, closed: float | None, broken: bool
) -> None:
    at = _word(bench)
    _refuted(bench, at - 5 * MINUTE, None if closed is None else _after(at, closed))
    assert (OPEN_STILL in _sentences(bench)) is broken
    assert bench.judge().checked["setting said"] == 1


@pytest.mark.parametrize(
    ("refused", "broken"),
    [
        pytest.param(100.0, False, id="the marketplace refused it again"),
        pytest.param(-20.0, False, id="an answer was on its way"),
        pytest.param(-200.0, True, id="it had refused it before"),
    ],
)
def test_a_setting_is_refuted_again_by_another_answer_alone(
    bench: Bench, refused: float, broken: bool
) -> None:
    at = _word(bench)
    _refuted(bench, at - 5 * MINUTE, at)
    _refuted(bench, _after(at, 120), None)
    _refusal(bench, _after(at, refused))
    verdict = bench.judge()
    assert any(CALLED_AGAIN in finding.sentence for finding in verdict.broken) is broken
    assert verdict.checked["setting refuted again"] == 1


@pytest.mark.parametrize(
    ("seen", "refused", "broken"),
    [
        pytest.param(None, None, False, id="the word, with its age"),
        pytest.param(-900.0, -900.0, True, id="a refusal from before"),
        pytest.param(60.0, 60.0, False, id="a refusal since"),
        pytest.param(60.0, -900.0, True, id="a refusal since that nobody gave"),
    ],
)
def test_the_profile_shows_a_word_or_what_was_proved_since(
    bench: Bench, seen: float | None, refused: float | None, broken: bool
) -> None:
    at = _word(bench, 1200)
    _refuted(bench, at - 5 * MINUTE, at)
    # What its own cancelation had proved.
    bench.connection.execute(text("DELETE FROM capability_observations"))
    if seen is not None and refused is not None:
        bench.sql(
            "INSERT INTO capability_observations (connection_id, name, allowed, evidence, at) "
            "SELECT id, 'partial_cancelation', false, 'OR30 was refused', :at FROM connections",
            at=_after(at, seen),
        )
        _refusal(bench, _after(at, refused))
    assert (SHOWN_BEFORE in _sentences(bench)) is broken
    assert bench.judge().checked["setting shown"] == 1


def test_a_word_that_the_profile_shows_as_older_than_it_is(bench: Bench) -> None:
    at = _word(bench)
    _refuted(bench, at - 5 * MINUTE, at)
    bench.connection.execute(text("DELETE FROM capability_observations"))
    assert SHOWN_BEFORE not in _sentences(bench)
    bench.sql("UPDATE connections SET rules_changed_at = :at", at=at - 30 * MINUTE)
    assert SHOWN_BEFORE in _sentences(bench)


@pytest.mark.parametrize("read", [True, False])
def test_what_waits_is_looked_at_again_after_a_word(bench: Bench, read: bool) -> None:
    """The order waits with a case before anything left; its Shopify order is read again within a minute, or is not."""
    at = _word(bench)
    _refuted(bench, at - 5 * MINUTE, at)
    a_case(bench, "reduction_not_allowed", at - 7 * MINUTE, closed_at=at + 7 * MINUTE)
    calls = bench.world.shopify.record.calls
    one = next(
        c for c in calls if c.operation == "order" and shows_all(c) and bench.shopify_gid in c.order_ids
    )
    calls[:] = [c for c in calls if not (c.operation == "order" and at <= c.at <= _after(at, 90))]
    if read:
        calls.append(replace(one, at=_after(at, 20), ended_at=_after(at, 20)))
    verdict = bench.judge()
    assert verdict.checked["setting decided again"] == 1
    assert any(NOT_LOOKED_AT in finding.sentence for finding in verdict.broken) is not read


@pytest.mark.parametrize(
    ("code", "told", "said", "broken"),
    [
        pytest.param("FEATURE_DISABLED", False, False, True, id="nobody is told"),
        pytest.param("FEATURE_DISABLED", True, False, False, id="its case is open"),
        pytest.param("FEATURE_DISABLED", False, True, False, id="a person had their say since"),
        pytest.param("ORDER_CHANGED", False, False, False, id="a refusal that is about the order"),
    ],
)
def test_i17_a_right_that_the_marketplace_refuses_has_its_case(
    bench: Bench, code: str, told: bool, said: bool, broken: bool
) -> None:
    at = bench.edit_at() + 5 * MINUTE
    _refusal(bench, at, code)
    if told:
        _refuted(bench, _after(at, 5), None)
    if said:
        _refuted(bench, _after(at, 5), _word(bench, 600))
    assert (UNTOLD in _sentences(bench)) is broken
