"""What a carrier's name could mean: ranked with reasons, and by itself only when it is exactly one carrier's."""

import pytest

from interlock.orders.connection import Carrier, EarlierChoice
from interlock.shipping.suggest import exact_match, speaks_of, suggest

LIST = (
    Carrier("RMTRACKED24", "Royal Mail Tracked 24"),
    Carrier("RMTRACKED48", "Royal Mail Tracked 48"),
    Carrier("HERMES_UK", "Hermes UK"),
    Carrier("DPD_UK", "DPD UK"),
    Carrier("DPDL", "DPD Local"),
    Carrier("DHL_DE", "DHL Paket"),
    Carrier("DHLX", "DHL Express"),
    Carrier("COL", "La Poste Colissimo", "colissimo"),
    Carrier("CP", "Canada Post"),
    Carrier("BRT", "Bartolini"),
    Carrier("CPLUS", "Collect+"),
    Carrier("X1", "Twin"),
    Carrier("X2", "twin"),
    Carrier("OTHER", "Other"),
    Carrier("TNT", "PostNL"),
    Carrier("HERMES", "Hermes World"),
)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("royal mail tracked 24", "RMTRACKED24"),
        ("RoyalMail-Tracked 24", "RMTRACKED24"),
        ("rm tracked 48", "RMTRACKED48"),
        ("LA POSTE COLÍSSIMO", "COL"),
        ("colissimo", "COL"),
        ("DHL_Express", "DHLX"),
        ("collect+", "CPLUS"),
        ("BRT", "BRT"),
    ],
)
def test_an_exact_name_is_taken_by_itself(written: str, code: str) -> None:
    carrier = exact_match(LIST, written)

    assert carrier is not None
    assert carrier.code == code
    assert [(one.code, one.automatic) for one in suggest(LIST, written, limit=1)] == [(code, True)]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("Royal Mail 24", "a word is missing"),
        ("CP", "two letters could be Colis Privé, or Canada Post"),
        ("TNT", "an old code of another company"),
        ("Hermes", "the code of one, and there is another Hermes"),
        ("twin", "two carriers are called so"),
        ("Other", "it stands for no carrier"),
        ("Collect", "the plus belongs to the name"),
        ("DHL", "two carriers begin so"),
        ("🚚", "there is nothing to compare"),
        ("", "there is nothing to compare"),
        ("x" * 500, "nobody is called so"),
    ],
)
def test_everything_else_is_for_a_person(written: str, why: str) -> None:
    assert exact_match(LIST, written) is None, why
    assert not any(one.automatic for one in suggest(LIST, written)), why


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Royal Mail 24", "RMTRACKED24"),
        ("RM24", "RMTRACKED24"),
        ("RMT48", "RMTRACKED48"),
        ("Royalmail 48 signed", "RMTRACKED48"),
        ("Evri", "HERMES_UK"),
        ("myHermes", "HERMES_UK"),
        ("interlink express", "DPDL"),
        ("BRT Corriere Espresso", "BRT"),
        ("Deutsche Post DHL", "DHL_DE"),
        ("so colissimo", "COL"),
        ("Postes Canada", "CP"),
    ],
)
def test_abbreviations_former_names_and_languages_lead_to_the_carrier(written: str, code: str) -> None:
    first = suggest(LIST, written)[0]

    assert first.code == code
    assert first.reasons
    assert not first.automatic or exact_match(LIST, written)


def test_a_country_breaks_a_tie() -> None:
    twins = (Carrier("1", "DPD Polska"), Carrier("2", "DPD Belgium"))

    assert [suggest(twins, "DPD", country=country)[0].code for country in ("PL", "BE")] == ["1", "2"]


@pytest.mark.parametrize(
    ("tracking", "code"), [("JJD0002 3300 0123456789", "DHL_DE"), ("1234567890", "DHLX")]
)
def test_a_tracking_number_is_evidence(tracking: str, code: str) -> None:
    first = suggest(LIST, "DHL", tracking=tracking)[0]

    assert first.code == code
    assert "the tracking number looks like theirs" in first.reasons


def test_what_was_chosen_before_comes_first_and_says_so() -> None:
    earlier = (EarlierChoice("Our van", "Hermes UK", "atlas"),)
    first = suggest(LIST, "our VAN", earlier=earlier)[0]

    assert (first.code, first.automatic) == ("HERMES_UK", False)
    assert "chosen for this name before (atlas)" in first.reasons


def test_what_was_chosen_for_a_similar_name_is_a_reason_but_a_weaker_one() -> None:
    similar = EarlierChoice("Our vans", "Hermes UK", "atlas")
    same = EarlierChoice("our-van", "DPD UK", "beta")
    ranked = suggest(LIST, "our VAN", earlier=(similar, same))[:2]

    assert ranked[1].code == "HERMES_UK"
    assert ranked[0].score > ranked[1].score
    assert "chosen for “Our vans” before (atlas)" in ranked[1].reasons
    assert not any(one.automatic for one in ranked)


@pytest.mark.parametrize(
    ("mapped", "asked", "says_something"),
    [
        ("Our van", "our-VAN", True),
        ("Our vans", "our van", True),
        ("Royal Mail Tracked 24", "Tracked 24 Royal Mail", True),
        ("Royal Mail Tracked 24", "Royal Mail Tracked 48", False),
        ("Express", "DPD", False),
        ("Other", "Others", False),
        ("", "DPD", False),
    ],
)
def test_which_earlier_names_say_something(mapped: str, asked: str, says_something: bool) -> None:
    assert speaks_of(mapped, asked) is says_something


def test_numbers_that_differ_speak_against_a_carrier() -> None:
    scores = {one.code: one.score for one in suggest(LIST, "Royal Mail Tracked 24 Signature")}

    assert scores["RMTRACKED24"] > scores["RMTRACKED48"] + 0.2


def test_the_score_orders_and_stays_below_one_for_what_is_not_exact() -> None:
    found = suggest(LIST, "Royal Mail 24 Signed For", limit=3)

    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(found) <= 3
    assert all(0 < one.score < 1 for one in found)
