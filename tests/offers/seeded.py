"""Both sides of a connection as the pages and commands about SKUs are shown them."""

from decimal import Decimal

from sqlalchemy import Connection

from interlock.engine.offers import keep_all_variants, keep_export
from interlock.engine.store import ConnectionRow
from interlock.offers.matching import Offered, Variant
from interlock.offers.reading import OfferRead
from tests.build import NOW

OFFERS = (
    Offered(1, "MUG", 5, Decimal("12.90"), "EUR", title="Stoneware mug"),
    Offered(2, "lamp-2", 3, Decimal("40.00"), "EUR"),
    Offered(3, "TWIN", 3, Decimal("9.00"), "EUR"),
    Offered(4, "SET", 1, Decimal("50.00"), "EUR"),
    Offered(5, "OUT", 0, Decimal("1.00"), "EUR", active=False),
)
VARIANTS = (
    Variant("V1", "MUG", "I1", "4006381333931", "Stoneware mug", Decimal("11.90")),
    Variant("V2", "LAMP-2", "I2", "", "Oak desk lamp", Decimal("40.00")),
    Variant("V3", "TWIN", "I3", "", "Towel", Decimal("9.00")),
    Variant("V4", "TWIN", "I4", "", "Towel, large", Decimal("9.00")),
    Variant("V5", "OUT", "I5", "", "Old", Decimal("1.00")),
)


def both_sides(c: Connection, row: ConnectionRow) -> None:
    """Offers and products as they were read: one linked at another price, one that differs in case, one that is carried by
    two products, one without a product, one that is inactive."""
    keep_all_variants(c, row.shopify_shop, VARIANTS, "EUR", NOW, NOW)
    keep_export(c, row, OfferRead("t", NOW, True), OFFERS, NOW)
