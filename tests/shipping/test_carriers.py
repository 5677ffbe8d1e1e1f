"""A carrier is mapped exactly or not at all."""

import pytest

from interlock.orders.connection import Carrier, CarrierMapping, ConnectionRules
from interlock.shipping.carriers import CarrierChoice, NotMapped, resolve, suggestions
from tests.build import some_rules

URL = "https://track.example/1"


def rules(**changes: object) -> ConnectionRules:
    values: dict[str, object] = {
        "carriers": (
            Carrier("RM24", "Royal Mail 24"),
            Carrier("RM48", "Royal Mail 48"),
            Carrier("COL", "La Poste Colissimo", "colissimo"),
            Carrier("DHL", "DHL Express"),
        ),
        "carrier_mappings": (
            CarrierMapping("Royal Mail 24", code="RM24"),
            CarrierMapping("Colis Privé", name="Colis Prive"),
            CarrierMapping("Gone", code="OLD"),
            CarrierMapping("Empty"),
        ),
    }
    return some_rules(**{**values, **changes})


@pytest.mark.parametrize("written", ["Royal Mail 24", " royal MAIL 24 "])
def test_case_and_outer_blanks_do_not_matter(written: str) -> None:
    assert resolve(rules(), written, "") == CarrierChoice(code="RM24")


@pytest.mark.parametrize(
    "written", ["Royal Mail", "RoyalMail24", "RM24", "Royal  Mail 24", "DHL Express", ""]
)
def test_nothing_is_ever_guessed(written: str) -> None:
    assert isinstance(resolve(rules(), written, URL), NotMapped)


def test_a_free_name_needs_the_tracking_url_and_a_marketplace_that_takes_it() -> None:
    assert resolve(rules(), "colis privé", URL) == CarrierChoice(name="Colis Prive")
    no_url = resolve(rules(), "Colis Privé", " ")
    closed = resolve(rules(unregistered_carriers=False), "Colis Privé", URL)

    assert isinstance(no_url, NotMapped)
    assert "tracking URL" in no_url.why
    assert isinstance(closed, NotMapped)
    assert "only carriers of its own list" in closed.why


@pytest.mark.parametrize(("written", "words"), [("Gone", "OLD"), ("Empty", "neither a code nor a name")])
def test_a_mapping_that_leads_nowhere_says_why(written: str, words: str) -> None:
    answer = resolve(rules(), written, URL)

    assert isinstance(answer, NotMapped)
    assert words in answer.why


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("Royal Mail 24", ["RM24", "RM48"]),
        ("Royal Mail Tracked 48", ["RM48", "RM24"]),
        ("ROYALMAIL 24", ["RM24"]),
        ("Colíssimo", ["COL"]),
        ("DHL", ["DHL"]),
        ("Unheard Of", []),
        ("", []),
    ],
)
def test_what_sounds_alike_is_suggested_the_likeliest_first(written: str, codes: list[str]) -> None:
    assert [carrier.code for carrier in suggestions(rules(), written)] == codes
