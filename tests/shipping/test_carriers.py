"""A carrier is mapped exactly or not at all."""

import pytest

from interlock.orders.connection import Carrier, CarrierMapping, ConnectionRules
from interlock.shipping.carriers import CarrierChoice, NotMapped, resolve
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


@pytest.mark.parametrize("written", ["Royal Mail", "Royal Mail 24h", "DHL", "Col", "", "🚚"])
def test_nothing_is_ever_guessed(written: str) -> None:
    assert isinstance(resolve(rules(), written, URL), NotMapped)


@pytest.mark.parametrize(
    ("written", "code"), [("dhl express", "DHL"), ("Royal-Mail 48", "RM48"), ("RM48", "RM48")]
)
def test_the_very_name_of_a_registered_carrier_needs_no_mapping(written: str, code: str) -> None:
    assert resolve(rules(), written, "") == CarrierChoice(code=code, found="by name")


@pytest.mark.parametrize("written", ["RoyalMail24", "royal-mail  24"])
def test_a_mapping_also_holds_for_what_is_written_alike(written: str) -> None:
    mappings = (CarrierMapping("Royal Mail 24", code="RM48"),)

    assert resolve(rules(carrier_mappings=mappings), written, "") == CarrierChoice(code="RM48")


SCOPED = (
    CarrierMapping("DPD", code="RM24"),
    CarrierMapping("DPD", code="RM48", country="FR"),
    CarrierMapping("DPD", code="COL", service="EXP"),
    CarrierMapping("DPD", code="DHL", country="FR", service="EXP"),
    CarrierMapping("Van", code="COL", country="DE"),
)


@pytest.mark.parametrize(
    ("written", "country", "service", "code"),
    [
        ("DPD", "", "", "RM24"),
        ("DPD", "DE", "STD", "RM24"),
        ("DPD", "FR", "STD", "RM48"),
        ("DPD", "DE", "EXP", "COL"),
        ("DPD", "FR", "EXP", "DHL"),
        ("Van", "DE", "", "COL"),
    ],
)
def test_the_narrowest_mapping_that_fits_goes_first(
    written: str, country: str, service: str, code: str
) -> None:
    assert resolve(rules(carrier_mappings=SCOPED), written, "", country, service) == CarrierChoice(code=code)


def test_a_mapping_for_one_country_leads_nowhere_for_another() -> None:
    assert isinstance(resolve(rules(carrier_mappings=SCOPED), "Van", "", "FR", ""), NotMapped)


def test_a_default_is_the_last_resort_and_says_so() -> None:
    some = rules(
        carrier_mappings=(
            *SCOPED,
            CarrierMapping("*", code="COL"),
            CarrierMapping("*", code="DHL", country="FR"),
        )
    )

    assert resolve(some, "Unheard of", "") == CarrierChoice(code="COL", found="default")
    assert resolve(some, "Unheard of", "", "FR") == CarrierChoice(code="DHL", found="default")
    assert resolve(some, "DPD", "") == CarrierChoice(code="RM24", found="mapped")
    assert resolve(some, "DHL Express", "") == CarrierChoice(code="DHL", found="by name")
    assert resolve(some, "*", "") == CarrierChoice(code="COL", found="default")


def test_a_default_that_leads_nowhere_says_that_it_is_the_default() -> None:
    answer = resolve(rules(carrier_mappings=(CarrierMapping("*", code="OLD"),)), "Unheard of", "")

    assert isinstance(answer, NotMapped)
    assert "the default of this connection" in answer.why


@pytest.mark.parametrize(
    "url",
    [
        "ftp://track.example/1",
        "javascript:alert(1)",
        "track.example/1",
        "https://",
        "https://a b",
        "http://[",
        "https://x.example/" + "1" * 2000,
    ],
)
def test_an_address_that_is_none_is_not_sent(url: str) -> None:
    answer = resolve(rules(), "Colis Privé", url)

    assert isinstance(answer, NotMapped)
    assert "cannot be sent" in answer.why


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
