"""What a marketplace's lists lost: given the map, the lists then and now, and the names on parcels, when it is said."""

from dataclasses import dataclass

import pytest

from interlock.orders.connection import Carrier, CarrierMapping
from interlock.shipping.vanished import ParcelName, Vanished, vanished
from tests.build import some_rules

DPD = Carrier("DPD", "DPD")
RM24 = Carrier("RM24", "Royal Mail 24")
RMT24 = Carrier("RMT24", "Royal Mail Tracked 24")
METHODS = ("STD", "EXP")


def said(
    *,
    carriers: tuple[Carrier, ...] = (DPD, RMT24),
    mappings: tuple[CarrierMapping, ...] = (),
    methods: tuple[str, ...] = METHODS,
    former: tuple[Carrier, ...] = (),
    names: tuple[ParcelName, ...] = (),
) -> tuple[Vanished, ...]:
    rules = some_rules(carriers=carriers, carrier_mappings=mappings)
    return vanished(rules, methods, former, names)


@dataclass(frozen=True, slots=True)
class Row:
    """What is given, and the subject and number of parcels of each case."""

    name: str
    then: tuple[tuple[str, int], ...] = ()
    carriers: tuple[Carrier, ...] = (DPD, RMT24)
    mappings: tuple[CarrierMapping, ...] = ()
    former: tuple[Carrier, ...] = ()
    names: tuple[ParcelName, ...] = ()


BY_NAME = ParcelName("royal mail-24", "GB", "STD", 7)
OTHER_COUNTRY = ParcelName("Royal Mail 24", "IE", "EXP", 2)
EXPRESS = CarrierMapping("DPD", code="DPD", service="SLOW")

ROWS = (
    Row("nothing lost"),
    Row("a mapped code", (("RM24", 0),), mappings=(CarrierMapping("RM 24", code="RM24"),)),
    Row(
        "a mapped code with its parcels",
        (("RM24", 4),),
        mappings=(CarrierMapping("RM 24", code="RM24"),),
        names=(ParcelName("rm24", "GB", "STD", 4), ParcelName("DPD", "GB", "STD", 9)),
    ),
    Row("a free name is of no list", mappings=(CarrierMapping("Van", name="Our van"),)),
    Row("found by its very name", (("RM24", 9),), former=(RM24,), names=(BY_NAME, OTHER_COUNTRY)),
    Row("a carrier nobody uses", former=(RM24,), names=(ParcelName("DPD", "GB", "STD", 9),)),
    Row(
        "by name and by a mapping for one country: one cause",
        (("RM24", 9),),
        mappings=(CarrierMapping("Royal Mail 24", code="RM24", country="IE"),),
        former=(RM24,),
        names=(BY_NAME, OTHER_COUNTRY),
    ),
    Row(
        "mapped for one country since: the other parcels remain",
        (("RM24", 7),),
        mappings=(CarrierMapping("Royal Mail 24", code="RMT24", country="IE"),),
        former=(RM24,),
        names=(BY_NAME, OTHER_COUNTRY),
    ),
    Row(
        "mapped anew",
        mappings=(CarrierMapping("Royal Mail 24", code="RMT24"),),
        former=(RM24,),
        names=(BY_NAME, OTHER_COUNTRY),
    ),
    Row(
        "a default takes such parcels in silence: said",
        (("RM24", 7),),
        mappings=(CarrierMapping("*", code="DPD"),),
        former=(RM24,),
        names=(BY_NAME,),
    ),
    Row(
        "the same name under another code is found by itself",
        carriers=(DPD, Carrier("RM-24-NEW", "Royal Mail 24")),
        former=(RM24,),
        names=(BY_NAME,),
    ),
    Row(
        "the same code is called otherwise",
        (("RM24", 7),),
        carriers=(DPD, Carrier("RM24", "Royal Mail Tracked 24 hours")),
        former=(RM24,),
        names=(BY_NAME,),
    ),
    Row("a name that never was exact", former=(RM24,), names=(ParcelName("Royal Mail", "GB", "STD", 3),)),
    Row(
        "a method for which alone a mapping holds",
        (("shipping method SLOW", 3),),
        mappings=(EXPRESS, CarrierMapping("DPD", code="RMT24")),
        names=(ParcelName("dpd", "FR", "SLOW", 3), ParcelName("dpd", "FR", "STD", 8)),
    ),
    Row(
        "mappings of one lost method are one cause",
        (("shipping method SLOW", 0),),
        mappings=(EXPRESS, CarrierMapping("*", code="RMT24", service="SLOW")),
    ),
    Row(
        "the same carrier for the method that took its place",
        mappings=(EXPRESS, CarrierMapping("DPD", code="DPD", service="EXP")),
    ),
    Row(
        "the same carrier for another country alone is no heir",
        (("shipping method SLOW", 0),),
        mappings=(EXPRESS, CarrierMapping("DPD", code="DPD", country="FR", service="EXP")),
    ),
    Row("the same carrier for every method", mappings=(EXPRESS, CarrierMapping("dpd", code="DPD"))),
    Row(
        "lost with its method and its code",
        (("RM24", 0), ("shipping method SLOW", 0)),
        mappings=(CarrierMapping("RM 24", code="RM24", service="SLOW"),),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_missed(row: Row) -> None:
    found = said(carriers=row.carriers, mappings=row.mappings, former=row.former, names=row.names)

    assert tuple((one.subject, one.parcels) for one in found) == row.then


def test_the_sentence_names_the_names_the_parcels_and_the_likely_heir() -> None:
    mappings = (
        CarrierMapping("RM24h", code="RM24", country="GB"),
        CarrierMapping("DPD", code="DPD"),
        CarrierMapping("Van", name="Our van"),
    )
    (gone,) = said(mappings=mappings, former=(RM24,), names=(BY_NAME,))

    assert gone.sentence == (
        "The marketplace's list of carriers does not have the code RM24 any more, to which the carrier map leads "
        "“RM24h [country GB]” and which parcels that say “royal mail-24” found by its name alone. 7 parcels of the orders of "
        "the last 30 days were such. The next one would wait, or go out as the default carrier where there is one. Map the "
        "names anew. It may be Royal Mail Tracked 24 (RMT24) now; nothing is changed by itself."
    )


def test_the_sentence_of_a_method_names_it_and_the_names() -> None:
    (gone,) = said(mappings=(EXPRESS,), names=(ParcelName("DPD", "FR", "SLOW", 1),))

    assert (
        "does not have SLOW any more, for which alone the carrier map leads “DPD” somewhere" in gone.sentence
    )
    assert "One parcel of the orders of the last 30 days was such a one." in gone.sentence


def test_many_names_are_counted() -> None:
    mappings = tuple(CarrierMapping(f"RM {n}", code="RM24") for n in range(12))

    assert "“RM 9” and 2 more" in said(mappings=mappings)[0].sentence
