"""Which offers an order's refusal concerns, and what its story says of them."""

from typing import Any

import pytest

from interlock.inventory.refusals import refused_skus, repaired, zeroed

ORDERED = ({"line_id": "L1", "sku": "MUG"}, {"line_id": "L2", "sku": "LAMP"}, {"line_id": "L3", "sku": "MUG"})
BOTH = (("LAMP", 1), ("MUG", 3))


def lines(*states: str) -> tuple[dict[str, Any], ...]:
    return tuple({"id": f"L{number}", "state": state} for number, state in enumerate(states, start=1))


@pytest.mark.parametrize(
    ("before", "now", "shown", "state", "skus"),
    [
        (BOTH, (), lines("REFUSED", "REFUSED", "REFUSED"), "REFUSED", ("LAMP", "MUG")),
        # the order is known to be refused before its lines were read again
        (
            BOTH,
            (),
            lines("WAITING_ACCEPTANCE", "WAITING_ACCEPTANCE", "WAITING_ACCEPTANCE"),
            "REFUSED",
            ("LAMP", "MUG"),
        ),
        (BOTH, (), (), "REFUSED", ("LAMP", "MUG")),
        # one line refused, the others accepted
        (BOTH, (("MUG", 3),), lines("SHIPPING", "REFUSED", "SHIPPING"), "SHIPPING", ("LAMP",)),
        (BOTH, (("LAMP", 1), ("MUG", 1)), lines("REFUSED", "SHIPPING", "SHIPPING"), "SHIPPING", ("MUG",)),
        # cancelled, not refused
        (BOTH, (), lines("CANCELED", "CANCELED", "CANCELED"), "CANCELED", ()),
        (BOTH, (("MUG", 3),), lines("SHIPPING", "CANCELED", "SHIPPING"), "SHIPPING", ()),
        # was refused before already
        (((("MUG", 3),)), (("MUG", 3),), lines("SHIPPING", "REFUSED", "SHIPPING"), "SHIPPING", ()),
        ((), (), lines("REFUSED"), "REFUSED", ()),
    ],
)
def test_refused_since_the_last_look(
    before: tuple[tuple[str, int], ...],
    now: tuple[tuple[str, int], ...],
    shown: tuple[dict[str, Any], ...],
    state: str,
    skus: tuple[str, ...],
) -> None:
    assert refused_skus(before, now, ORDERED, shown, state) == skus


def test_the_sentences_name_the_offer_and_the_figures() -> None:
    assert zeroed("LAMP", 7).startswith(
        "Since the refusal the marketplace shows 0 of LAMP, of which 7 may be offered."
    )
    assert repaired("LAMP", 7, True) == (
        "The offer LAMP, that showed 0 after the refusal, was told again: the marketplace took 7."
    )
    assert "may have set to zero" in repaired("LAMP", 7, False)
