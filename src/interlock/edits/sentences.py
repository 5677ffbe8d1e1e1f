"""Every difference in plain words, for the hold note, the case and the timeline. No personal data."""

from decimal import Decimal
from typing import assert_never

from interlock.orders.differences import (
    AddressChanged,
    AddressMoved,
    BundleBroken,
    Difference,
    LineAdded,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineRemoved,
    PriceChanged,
    QuantityIncreased,
    QuantityReduced,
    ShippingChanged,
    SkuReplaced,
    TotalsRecalculated,
)
from interlock.orders.money import Money


def sentence_of(difference: Difference, currency: str) -> str:
    """One sentence: what Shopify shows and what was agreed."""
    match difference:
        case QuantityReduced(_, sku, agreed, now):
            return f"Shopify shows {now} of {sku}; the marketplace agreed to {agreed}."
        case LineRemoved(_, sku, agreed):
            return f"{sku} was removed in Shopify; the marketplace agreed to {agreed}."
        case QuantityIncreased(_, sku, agreed, now):
            return f"Shopify shows {now} of {sku}, more than the {agreed} the marketplace agreed to."
        case LineAdded(_, sku, title, quantity):
            return f"{quantity} of {sku or title} was added in Shopify; the marketplace never sold it."
        case SkuReplaced(_, sku, agreed, now, _, new_sku, new_quantity):
            return (
                f"{_went(sku, agreed, now)} while {new_quantity} of {new_sku or 'another item'} was added: "
                "the marketplace cannot swap items."
            )
        case BundleBroken(_, sku, agreed, _, shown):
            articles = ", ".join(f"{units} of {agreed * each} {part}" for part, units, each in shown)
            return f"The bundle {sku} is not whole in Shopify any more: it shows {articles} for the {agreed} sold."
        case PriceChanged(_, sku, agreed, now):
            return f"{sku} costs {_money(now, currency)} in Shopify; {_money(agreed, currency)} was agreed."
        case ShippingChanged(agreed, now):
            return (
                f"Shipping costs {_money(now, currency)} in Shopify; {_money(agreed, currency)} was agreed."
            )
        case AddressChanged(contact_only=True):
            return "The telephone number in the delivery address was changed in Shopify."
        case AddressChanged():
            return "The Shopify order goes to another address than the one the marketplace gave."
        case AddressMoved(also_here):
            shopify = "was changed to a third one" if also_here else "still has the old one"
            return f"The marketplace changed the delivery address; the Shopify order {shopify}."
        case LineCancelled(_, sku, agreed, shopify):
            return f"The marketplace now agrees to {agreed} of {sku}; Shopify still shows {shopify}."
        case LineRefused(_, sku, shopify):
            return f"The marketplace shows {sku} as refused; Shopify still shows {shopify}."
        case LineRefunded(_, sku, quantity, _):
            return f"The marketplace refunded {quantity} of {sku} before dispatch; Shopify still shows them."
        case TotalsRecalculated():
            return _recalculated(difference, currency)
        case _:
            assert_never(difference)


def _recalculated(found: TotalsRecalculated, currency: str) -> str:
    said = []
    if found.was != found.now:
        said.append(
            f"now shows {_money(found.now, currency)} for all units of {found.sku}; it was {_money(found.was, currency)}"
        )
    if found.shipping_was != found.shipping_now:
        said.append(
            f"now charges {_money(found.shipping_now, currency)} for shipping {found.sku}; it was "
            f"{_money(found.shipping_was, currency)}"
        )
    return f"The marketplace {' and '.join(said) or f'recalculated the taxes of {found.sku}'}."


def _went(sku: str, agreed: int, now: int) -> str:
    return f"{sku} was removed" if now == 0 else f"{sku} went from {agreed} to {now}"


def _money(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency))
