"""The judge reads the title of a shipping method on the order that was made after it was set."""

import json
from datetime import timedelta

from interlock.orders.codec import encode
from interlock.orders.connection import ShippingMethod
from tests.simulation.bench import Bench

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
    _titled(bench, "By bicycle", -1)
    assert _said(bench) == [SAID]


def test_a_shipping_line_that_is_called_as_the_settings_say(bench: Bench) -> None:
    _titled(bench, _shown(bench), -1)
    assert _said(bench) == []
    assert bench.judge().checked["shipping title"] == 1


def test_a_title_that_was_set_after_the_order_was_made(bench: Bench) -> None:
    _titled(bench, "By bicycle", 60)
    assert _said(bench) == []
    assert bench.judge().checked["shipping title"] == 0
