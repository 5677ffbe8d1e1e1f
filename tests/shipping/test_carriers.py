"""A carrier is mapped exactly or not at all."""

from dataclasses import replace

import pytest

from interlock.orders.connection import Carrier, CarrierMapping, ConnectionRules
from interlock.shipping.carriers import CarrierChoice, NotMapped, contradicting, resolve
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


A, B = CarrierMapping("DHL-Paket", code="DHL"), CarrierMapping("DHL Paket", code="COL")
DEFAULT = CarrierMapping("*", code="RM24")


@pytest.mark.parametrize(
    ("mappings", "written", "said"),
    [
        pytest.param(
            (A, B, DEFAULT), "DHLPaket", "DHL-Paket to DHL and DHL Paket to COL", id="beside a default"
        ),
        pytest.param((A, B), "dhl_paket", "DHL-Paket to DHL and DHL Paket to COL", id="without one"),
        pytest.param(
            (replace(A, shop_name="RM 48"), replace(B, shop_name="RM-48")),
            "RM48",
            "RM 48 to DHL and RM-48 to COL",
            id="although the marketplace has one of this name",
        ),
        pytest.param(
            (replace(DEFAULT, shop_name="* "), replace(DEFAULT, code="RM48")),
            "Pigeon",
            "*  to RM24 and * to RM48",
            id="two defaults",
        ),
        pytest.param(
            (replace(DEFAULT, shop_name="* "), replace(DEFAULT, code="RM48")),
            "",
            "names no carrier",
            id="for no name",
        ),
    ],
)
def test_mappings_written_alike_that_lead_to_different_carriers_are_a_case_and_no_default(
    mappings: tuple[CarrierMapping, ...], written: str, said: str
) -> None:
    answer = resolve(rules(carrier_mappings=mappings), written, URL)

    assert isinstance(answer, NotMapped)
    assert said in answer.why
    assert "written alike" in answer.why


def test_what_is_written_just_so_goes_before_what_contradicts_it_and_alike_mappings_may_agree() -> None:
    assert resolve(rules(carrier_mappings=(A, B)), "dhl-paket", "") == CarrierChoice(code="DHL")
    same = (A, replace(B, code="DHL"), DEFAULT)
    assert resolve(rules(carrier_mappings=same), "DHLPaket", "") == CarrierChoice(code="DHL")


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (B, True),
        (replace(B, shop_name="dhl-paket"), True),
        (replace(B, code="", name="DHL"), True),
        (replace(B, code="DHL"), False),
        (replace(B, country="FR"), False),
        (replace(B, service="EXP"), False),
        (replace(B, shop_name="DHL Pakete"), False),
        (replace(B, shop_name="*"), False),
    ],
)
def test_mappings_contradict_each_other_where_they_are_alike_for_the_same_parcels(
    other: CarrierMapping, found: bool
) -> None:
    assert contradicting((A,), (A, DEFAULT, other)) == ((A, other) if found else None)


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
