"""Which variant stands behind an offer: a table of values."""

from dataclasses import replace

import pytest

from interlock.offers.matching import Component, Linked, Offered, Unlinked, Variant, match

MUG = Variant("V1", "MUG", "I1")
LID = Variant("V2", "LID", "I2")
OLD_MUG = Variant("V3", "MUG", "I3", archived=True)
GONE_MUG = Variant("V6", "MUG", "I6", gone=True)
SECOND_MUG = Variant("V4", "MUG", "I4")
NAMELESS = Variant("V5", "", "I5")


@pytest.mark.parametrize(
    ("sku", "variants", "table", "bundles", "expected"),
    [
        ("MUG", (MUG, LID, NAMELESS), {}, {}, Linked("MUG", ((MUG, 1),), "sku")),
        # to the letter: case, blanks and leading zeros are for a person to judge
        ("mug", (MUG,), {}, {}, Unlinked("mug", "mug", 0)),
        ("0MUG", (MUG,), {}, {}, Unlinked("0MUG", "0MUG", 0)),
        ("MUG ", (MUG,), {}, {}, Unlinked("MUG ", "MUG ", 0)),
        # two variants with one SKU
        ("MUG", (MUG, SECOND_MUG), {}, {}, Unlinked("MUG", "MUG", 2)),
        # an archived product does not make a SKU ambiguous, and is meant where no other one carries it
        ("MUG", (MUG, OLD_MUG), {}, {}, Linked("MUG", ((MUG, 1),), "sku")),
        ("MUG", (OLD_MUG, GONE_MUG), {}, {}, Linked("MUG", ((OLD_MUG, 1),), "sku")),
        ("MUG", (OLD_MUG, replace(OLD_MUG, id="V7")), {}, {}, Unlinked("MUG", "MUG", 2)),
        # what is gone stands for nothing
        ("MUG", (GONE_MUG,), {}, {}, Unlinked("MUG", "MUG", 0, 1)),
        # the table goes before the SKU, also where it leads nowhere
        ("MUG", (MUG, LID), {"MUG": "LID"}, {}, Linked("MUG", ((LID, 1),), "table")),
        ("MUG", (MUG,), {"MUG": "GONE"}, {}, Unlinked("MUG", "GONE", 0, 0, "table")),
        # a bundle goes before both
        (
            "SET",
            (MUG, LID),
            {"SET": "MUG"},
            {"SET": (Component("MUG", 4), Component("LID", 4))},
            Linked("SET", ((MUG, 4), (LID, 4)), "bundle"),
        ),
        ("SET", (MUG,), {}, {"SET": (Component("MUG", 2),)}, Linked("SET", ((MUG, 2),), "bundle")),
        (
            "SET",
            (MUG,),
            {},
            {"SET": (Component("MUG", 2), Component("LID", 1))},
            Unlinked("SET", "LID", 0, 0, "bundle"),
        ),
        ("", (NAMELESS,), {}, {}, Unlinked("", "", 0)),
    ],
)
def test_what_stands_behind_an_offer(sku, variants, table, bundles, expected) -> None:  # type: ignore[no-untyped-def]
    assert match((Offered(1, sku),), variants, table, bundles) == (expected,)
