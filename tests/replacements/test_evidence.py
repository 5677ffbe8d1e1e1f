"""What each known editing app leaves behind, what it comes to, and that no innocent order is ever certain."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.orders.snapshots import ShopifyOrder, Traces
from interlock.replacements.evidence import LIKELY, Original, bases_of, weigh
from tests.build import ELSEWHERE, MARKER, NOW, a_shopify_line, a_shopify_order

PERSON = Traces(attribute=MARKER, app="Interlock", email="e1")
LIVE = a_shopify_order(traces=PERSON)
GONE = replace(
    LIVE,
    cancelled_at=NOW,
    total=Decimal(0),
    lines=tuple(replace(line, current_quantity=0) for line in LIVE.lines),
)
STRANGER = Traces(app="Online Store", email="e9")
UNMARKED = (a_shopify_line("N1", line_id=""), a_shopify_line("N2", "LAMP", 1, "30.00", ""))


def an_original(order: ShopifyOrder = GONE, **changes: Any) -> Original:
    return replace(Original(order, ("#1001",), MARKER, ("L1", "L2")), **changes)


def a_candidate(**changes: Any) -> ShopifyOrder:
    """An order of a stranger with the same goods, made in the minute of the cancelation."""
    fresh = a_shopify_order(
        id="SO2",
        name="#1099",
        created_at=NOW - timedelta(seconds=5),
        marker="",
        address=ELSEWHERE,
        lines=UNMARKED,
        traces=STRANGER,
    )
    return replace(fresh, **changes)


def by(app: str, **changes: Any) -> Traces:
    """Traces of an order that an app made for the same person."""
    return replace(Traces(app=app, email="e1"), **changes)


TRACES = {
    "name suffix with tags": a_candidate(
        name="#1001A", tags=("Edit Order",), address=LIVE.address, traces=by("Cleverific")
    ),
    "name suffix, other lines": a_candidate(
        name="#1001A",
        tags=("Edit Order",),
        address=LIVE.address,
        traces=by("Cleverific"),
        lines=(a_shopify_line("N1", "VASE", 1, line_id=""),),
    ),
    "duplicated by a flow, tagged": a_candidate(
        tags=("orderediting:duplicated",), address=LIVE.address, traces=by("Flow")
    ),
    "copy with our attribute": a_candidate(traces=by("Editify", attribute=MARKER)),
    "copy with our line attributes": a_candidate(
        lines=LIVE.lines, address=LIVE.address, traces=by("Editify")
    ),
    "copy with our tags": a_candidate(traces=by("Editify", mentions=("tag",))),
    "copy with our lineage metafield": a_candidate(traces=by("Editify", lineage=MARKER)),
    "an attribute that names the original": a_candidate(
        address=LIVE.address, traces=by("Reprice", mentions=("attribute",))
    ),
    "a source that names the original": a_candidate(
        address=LIVE.address, traces=by("Reprice", mentions=("source",))
    ),
}


@pytest.mark.parametrize("candidate", TRACES.values(), ids=TRACES.keys())
def test_the_traces_of_a_known_app_are_certain(candidate: ShopifyOrder) -> None:
    found = weigh(an_original(), candidate)
    assert found.band == "certain", found.facts


@pytest.mark.parametrize(
    "name",
    [
        "name suffix with tags",
        "copy with our attribute",
        "copy with our line attributes",
        "copy with our tags",
        "copy with our lineage metafield",
    ],
)
def test_a_copy_is_certain_while_the_original_lives(name: str) -> None:
    assert weigh(an_original(LIVE), TRACES[name]).band == "certain"


LOOK_ALIKES = {
    # Admin, Duplicate: the same person and lines, no link at all.
    "duplicated in the admin": a_candidate(address=LIVE.address, traces=by("Draft Orders")),
    "the name alone": a_candidate(name="#1001A", created_at=NOW + timedelta(days=2), lines=()),
    "the note names it": a_candidate(address=LIVE.address, traces=by("Online Store", mentions=("note",))),
    "the same person, edited natively": a_candidate(
        tags=("orderediting", "orderediting:quantity"), address=LIVE.address, traces=by("Online Store")
    ),
    "an editing tag at another address": a_candidate(tags=("Edit Order",), traces=by("Cleverific")),
}


@pytest.mark.parametrize("candidate", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_what_only_resembles_it_is_asked(candidate: ShopifyOrder) -> None:
    found = weigh(an_original(), candidate)
    assert found.band == "likely", found.facts


WEAK = {
    "a stranger with the same goods in the same minute": a_candidate(),
    "the same person, other goods": a_candidate(
        lines=(a_shopify_line("N1", "VASE", 1, line_id=""),), address=LIVE.address, traces=by("Online Store")
    ),
    "in another currency": replace(TRACES["name suffix with tags"], currency="SEK"),
    "another order's number": replace(
        TRACES["name suffix with tags"], traces=by("Cleverific", attribute="atlas:M-2")
    ),
    "another order's name": replace(TRACES["name suffix with tags"], name="#1042A"),
    "older than the original": replace(
        TRACES["name suffix with tags"], created_at=LIVE.created_at - timedelta(minutes=1)
    ),
}


@pytest.mark.parametrize("candidate", WEAK.values(), ids=WEAK.keys())
def test_what_is_none_of_ours_is_left_alone(candidate: ShopifyOrder) -> None:
    found = weigh(an_original(), candidate)
    assert found.band == "weak", found.facts


@given(
    email=st.booleans(),
    same_address=st.booleans(),
    minutes=st.integers(-4, 600),
    total=st.booleans(),
    live=st.booleans(),
    note=st.booleans(),
    tags=st.sampled_from([(), ("vip",), ("orderediting:quantity",)]),
    name=st.sampled_from(["#1002", "#10011", "#1099", "1001"]),
    replaced=st.booleans(),
)
def test_an_innocent_order_close_in_time_and_content_is_never_certain(
    email: bool,
    same_address: bool,
    minutes: int,
    total: bool,
    live: bool,
    note: bool,
    tags: tuple[str, ...],
    name: str,
    replaced: bool,
) -> None:
    order = LIVE if live else GONE
    order = replace(order, tags=("Edit Order - Cancelled",)) if replaced else order
    candidate = a_candidate(
        name=name,
        tags=tags,
        created_at=NOW + timedelta(minutes=minutes),
        address=LIVE.address if same_address else ELSEWHERE,
        total=order.total if total else Decimal(1),
        traces=Traces(
            app="Online Store",
            email="e1" if email else "e9",
            mentions=("note",) if note else (),
        ),
    )
    assert weigh(an_original(order), candidate).band != "certain"


def test_every_trace_is_shown_with_its_points_and_they_add_up() -> None:
    found = weigh(an_original(), TRACES["name suffix with tags"])
    *pieces, (together, sum_of_all) = found.facts
    assert together == "together"
    assert sum_of_all == f"{found.points} points: certain"
    assert sum(int(points) for _, points in pieces) == found.points
    assert "its name #1001A continues the order's name #1001" in found.sentence
    assert found.points >= LIKELY


def test_a_chain_continues_any_of_its_names() -> None:
    second = a_candidate(name="#1001B", tags=("Edit Order",), address=LIVE.address, traces=by("Cleverific"))
    assert weigh(an_original(names=("#1001", "#1001A")), second).band == "certain"


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("#1001A", ("#1001", "1001")),
        ("1001-2", ("#1001", "1001")),
        ("#1001-R1", ("#1001", "1001")),
        ("#1001AB", ("#1001A", "1001A")),
        ("#10012", ()),
        ("#1001", ()),
        ("EN1001", ()),
    ],
)
def test_what_a_name_continues(name: str, bases: tuple[str, ...]) -> None:
    assert bases_of(name) == bases


def test_in_a_shop_whose_numbers_end_in_a_letter_a_letter_says_nothing() -> None:
    shop_style = an_original(names=("2026-14",))
    assert not [t for t in weigh(shop_style, a_candidate(name="2026-15")).traces if t.name.startswith("name")]
