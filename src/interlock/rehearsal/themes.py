"""What every history makes room for: one rare thing, with the marketplace, the rules and the people it needs.

Left to chance, most of what is judged here would occur once in hundreds of histories, or never: an approval needs a paid
order, an answer late in the window needs a window that ends within the history.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from interlock.orders.reasons import Option
from interlock.simulator.shopify.state import Service

UNKNOWN_SKU = ("NOT-IN-THE-SHOP",)
UNHEARD = (
    "reply_lost",
    "server_error_after",
    "truncated",
    "server_error",
    "refused_before",
    "items_missing",
    "items_missing",
)
"""Faults after which nobody knows whether the call did anything."""


@dataclass(frozen=True)
class Theme:
    """One rare thing. `story` is told to the first order of the history, which has these `skus` and `quantities` where
    they are given; with `one_customer` the same person buys all of the history's orders; `profile`, `rules` and `temper` replace fields of the marketplace, the connection and the people,
    `switches` what the marketplace is drawn to be like;
    `base` names the marketplace to begin with. `fault` is an operation of the marketplace whose first call meets one of
    `faults` in so many of the histories. The chances are of troubles that would otherwise be rare."""

    name: str
    weight: float = 1.0
    story: str = ""
    base: str = ""
    profile: Mapping[str, object] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    temper: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    skus: tuple[str, ...] | None = None
    quantities: tuple[int, ...] | None = None
    service: Service | None = None
    one_customer: bool = False
    fault: str = ""
    faults: tuple[str, ...] = UNHEARD
    fault_chance: float = 0.5
    web_away: float = 0.15
    freeze: float = 0.4
    freeze_rate: float = 0.01


_SHORT = {"acceptance_window_hours": 0.5}
_SLOW_PAYMENT = {"payment_workflow": "PAY_ON_ACCEPTANCE", "debit_delay": 3000.0}
_PAID_AT_ONCE = {"payment_workflow": "PAY_ON_ACCEPTANCE", "debit_request_delay": 10.0, "debit_delay": 60.0}
_APPROVE = {"reduction_after_debit": "approve", "edit_window": None}
_AUTOMATIC = {
    "reduction_after_debit": "automatic",
    "refund_cap": Decimal(500),
    "refund_limit": None,
    "edit_window": None,
}
_SAYS_YES = {"approves": True, "desk_every": 150.0, "picker_every": 2400.0}
_SERVICE = Service(accepts=True, answers_after=5.0, cancellation_after=5.0, ships_after=1800.0)

NO_THEME = Theme("as it comes", 4.0)
THEMES: tuple[Theme, ...] = (
    NO_THEME,
    # acceptance
    Theme(
        "nobody imports it",
        1.2,
        base="hidden-address",
        profile=_SHORT,
        temper={"maps_skus": False},
        skus=UNKNOWN_SKU,
    ),
    Theme(
        "asked late in the window",
        1.5,
        base="hidden-address",
        profile=_SHORT,
        temper={"waits_for_options": True, "desk_every": 120.0},
        skus=UNKNOWN_SKU,
    ),
    # payment and refunds
    Theme("the payment fails", 1.2, "payment fails", base="hidden-address", profile=_SLOW_PAYMENT),
    Theme(
        "a refund one person approves",
        1.6,
        "lowered once paid",
        base="hidden-address",
        profile=_PAID_AT_ONCE,
        rules={**_APPROVE, "refund_limit": None},
        temper=_SAYS_YES,
        fault="OR28",
    ),
    Theme(
        "a refund two people approve",
        1.6,
        "lowered once paid",
        base="hidden-address",
        profile=_PAID_AT_ONCE,
        rules={**_APPROVE, "refund_limit": Decimal(5)},
        temper=_SAYS_YES,
        fault="OR28",
    ),
    Theme(
        "a refund nobody has to approve",
        1.6,
        "lowered once paid",
        base="all-or-nothing",
        profile=_PAID_AT_ONCE,
        rules=_AUTOMATIC,
        temper=_SAYS_YES,
        fault="OR28",
    ),
    Theme(
        "a refund whose edit is undone",
        1.5,
        "lowered once paid, then undone",
        base="hidden-address",
        profile=_PAID_AT_ONCE,
        rules=_AUTOMATIC,
        temper={"picker_every": 120.0},
        fault="OR28",
        faults=("reply_lost", "server_error_after", "late_apply"),
        fault_chance=1.0,
    ),
    Theme(
        "two edits after the payment",
        1.2,
        "lowered twice once paid",
        base="hidden-address",
        profile=_PAID_AT_ONCE,
        rules={"reduction_after_debit": "task", "edit_window": None},
        quantities=(4,),
        temper={"picker_every": 2400.0, "desk_every": 900.0},
    ),
    # lineage
    Theme("a second order under our name", 1.2, "made again by a copy of the installation"),
    Theme("split", 1.0, "split by an app", quantities=(3,), temper={"picker_every": 1200.0}),
    Theme(
        "merged",
        1.2,
        "merged by an app",
        rules={"edit_window": timedelta(minutes=20)},
        temper={"picker_every": 2400.0},
        one_customer=True,
    ),
    Theme("a take-over taken back", 1.2, "take-over taken back", temper={"picker_every": 1200.0}),
    Theme("two that live on", 1.2, "copied, never cancelled", temper={"picker_every": 1200.0}),
    Theme("copied after it left", 1.5, "copied after the parcel left", base="automatic"),
    # edits
    Theme(
        "both sides cut one line",
        1.2,
        "both sides cut one line",
        base="hidden-address",
        quantities=(4,),
        rules={"import_route": "draft"},
        temper={"picker_every": 2400.0},
    ),
    Theme("our desk cancels", 0.8, "desk cancels", temper={"picker_every": 1200.0}),
    Theme(
        "our desk moves the address",
        0.8,
        "desk moves the address",
        rules={"edit_window": timedelta(minutes=40)},
        temper={"picker_every": 1200.0},
    ),
    Theme(
        "an edit undone in time",
        1.0,
        "edit undone",
        base="automatic",
        quantities=(3,),
        temper={"picker_every": 2400.0},
    ),
    Theme(
        "a cancelation that is answered unclearly",
        1.2,
        "quantity lowered",
        base="automatic",
        quantities=(3,),
        temper={"picker_every": 2400.0},
        fault="OR30",
        fault_chance=0.9,
    ),
    Theme("a value nobody knows", 1.6, "an unknown value shown for a while"),
    # the warehouse
    Theme("a parcel with what was never sold", 1.0, "added and labelled at once", base="automatic"),
    Theme(
        "a hold that others take off",
        1.0,
        "hold released by staff",
        base="hidden-address",
        profile=_SLOW_PAYMENT,
    ),
    Theme(
        "a service that refuses to stop",
        0.8,
        "lowered while the service packs",
        base="automatic",
        service=replace(_SERVICE, cancellation="rejects"),
    ),
    Theme(
        "a service that does not answer",
        0.8,
        "lowered while the service packs",
        base="automatic",
        service=replace(_SERVICE, cancellation="ignores"),
    ),
    # what befalls the service
    Theme("nobody at the door", 1.2, "burst of edits", web_away=1.0, quantities=(4,)),
    Theme("workers that stand still", 1.0, freeze=1.0, freeze_rate=0.06),
)
"""What a history is about, by weight."""

RARE = 0.15
"""The share of histories that are about something rarer still."""

RARE_THEMES: tuple[Theme, ...] = (
    Theme(
        "both sides cut one line, one after the other",
        1.5,
        "both sides cut one line in turn",
        base="automatic",
        quantities=(4,),
        profile={"partial_cancelation": True},
        rules={"import_route": "draft", "edit_window": timedelta(minutes=40)},
        temper={"picker_every": 2400.0},
    ),
    Theme(
        "an app that cancels too late",
        1.2,
        "copied and labelled at once",
        base="automatic",
        temper={"picker_every": 2400.0, "label_bought": 0.0},
    ),
    Theme(
        "an edit in an open incident",
        1.2,
        "edited while an incident is open",
        base="automatic",
        quantities=(3,),
        rules={"import_route": "draft", "edit_window": timedelta(minutes=40)},
        temper={"picker_every": 2400.0},
    ),
    Theme(
        "the customer agrees to something else",
        1.2,
        "sku swapped",
        base="automatic",
        rules={"import_route": "draft", "edit_window": timedelta(minutes=20)},
        temper={"desk_every": 120.0, "picker_every": 600.0, "says": Option.SHIP_AS_EDITED},
    ),
    Theme(
        "replaced more than once",
        1.0,
        "replaced twice",
        rules={"import_route": "draft", "edit_window": timedelta(minutes=40)},
        temper={"picker_every": 2400.0},
    ),
    Theme(
        "a refund of which nobody hears",
        1.2,
        "lowered once paid",
        base="all-or-nothing",
        profile=_PAID_AT_ONCE,
        rules=_AUTOMATIC,
        temper=_SAYS_YES,
        fault="OR28",
        switches={"or28_in_shipping": "accepted", "or28_lands_as": "refund"},
        faults=("reply_lost", "server_error_after", "truncated"),
        fault_chance=1.0,
    ),
    Theme(
        "an address moved at our desk",
        0.8,
        "desk moves the address",
        rules={"import_route": "draft", "edit_window": timedelta(minutes=40)},
        temper={"picker_every": 1200.0},
    ),
)
"""What one history in many is about. They have a stream of their own: a seed that is about none of them stays as it is."""


_NAMED = {theme.name: theme for theme in (*THEMES, *RARE_THEMES)}

SELDOM = 0.03
"""The share of histories about what the weights of the others bring too seldom."""

SELDOM_THEMES: tuple[Theme, ...] = (
    replace(_NAMED["an address moved at our desk"], base="automatic"),
    replace(_NAMED["an address moved at our desk"], base="automatic"),
    _NAMED["a service that does not answer"],
    replace(_NAMED["a cancelation that is answered unclearly"], faults=("items_missing",), fault_chance=1.0),
)


def draw_theme(seed: int) -> Theme:
    """The theme of this seed, by the themes' weights."""
    seldom = random.Random(f"{seed}:told too seldom")
    if seldom.random() < SELDOM:
        return seldom.choice(SELDOM_THEMES)
    own = random.Random(f"{seed}:own")
    themes = RARE_THEMES if own.random() < RARE else THEMES
    rng = own if themes is RARE_THEMES else random.Random(f"{seed}:theme")
    [theme] = rng.choices(themes, [theme.weight for theme in themes])
    return theme
