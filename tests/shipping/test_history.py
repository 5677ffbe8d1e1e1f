"""The carrier map in words and back, and the map as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.orders.connection import CarrierMapping
from interlock.shipping.history import Change, as_it_was, described, mapping_of, reads_as_scope

WORDS = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=12)
MAPPINGS = st.builds(
    lambda shop_name, leads_to, free, country, service: CarrierMapping(
        shop_name, "" if free else leads_to, leads_to if free else "", country, service
    ),
    WORDS.filter(lambda text: not reads_as_scope(text)),
    WORDS.filter(lambda text: not text.startswith("“")),
    st.booleans(),
    st.sampled_from(["", "FR", "DE"]),
    WORDS.filter(lambda text: "]" not in text) | st.just(""),
)


@given(MAPPINGS)
def test_a_mapping_comes_back_from_its_words(mapping: CarrierMapping) -> None:
    assert mapping_of(*described(mapping)) == mapping


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (CarrierMapping("DPD", "DPD"), ("DPD", "DPD")),
        (CarrierMapping("DPD", "DPD_FR", country="FR"), ("DPD [country FR]", "DPD_FR")),
        (CarrierMapping("DPD", "X", service="EXP"), ("DPD [service EXP]", "X")),
        (
            CarrierMapping("Van", name="Our van", country="FR", service="EXP"),
            ("Van [country FR, service EXP]", "“Our van”"),
        ),
    ],
)
def test_the_words_name_the_scope(mapping: CarrierMapping, words: tuple[str, str]) -> None:
    assert described(mapping) == words


def test_the_map_as_it_was_undoes_the_newest_change_first() -> None:
    since = [Change("A", "2", "3"), Change("C", "9", ""), Change("A", "1", "2"), Change("B", "", "5")]

    assert as_it_was({"A": "3", "B": "5", "D": "7"}, since) == {"A": "1", "C": "9", "D": "7"}
