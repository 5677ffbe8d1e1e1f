"""What is wrong between the offers of a marketplace and the products of the shop, before an order falls over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.offers.matching import Linked, Match, Offered, Unlinked, Variant
from interlock.orders.reasons import Reason

MOST_CASES = 20
"""So many findings of one kind have a case each; what is beyond them is one case with their number."""
OTHERS = "others"
"""The subject of the case about the findings beyond the first ones."""
SHOWN = 10
LONGEST_SHOWN = 100
"""Characters of a SKU that a sentence shows."""
SELECTION = 0.2
"""A marketplace that lacks more than this part of the shop's products sells a selection on purpose."""
DELETED_FOR = timedelta(days=14)
"""So long a deleted offer is a case; after that it was meant."""
REASONS = (
    Reason.OFFER_WITHOUT_VARIANT,
    Reason.OFFER_AMBIGUOUS,
    Reason.OFFER_DELETED,
    Reason.VARIANT_WITHOUT_OFFER,
    Reason.OFFER_SKU_UNUSABLE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person has to put right. `subject` names the cause, so that one answer settles all it stops."""

    reason: Reason
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """An offer the marketplace has deleted, and when that was seen."""

    sku: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides as they were last read. `matches` says what stands behind each offer that is not deleted; `held` are offers
    that Interlock itself has show no stock, `unusable` those whose SKU can stand in no stock file although their stock is
    published."""

    connection: str
    offers: tuple[Offered, ...]
    variants: tuple[Variant, ...]
    matches: tuple[Match, ...]
    deleted: tuple[Deleted, ...] = ()
    held: frozenset[str] = frozenset()
    unusable: frozenset[str] = frozenset()


def findings(sides: Sides, now: datetime) -> tuple[Finding, ...]:
    """What is wrong between both sides, one finding per cause, by reason and subject.

    An offer nobody can buy now (inactive, such as one of quantity 0) is no finding: it stops no order. One that shows
    nothing because Interlock holds it there, its product being called otherwise now, is one until somebody says what it is.
    """
    active = {offer.sku for offer in sides.offers if offer.active and not offer.deleted}
    unlinked = [
        one
        for one in sides.matches
        if isinstance(one, Unlinked) and (one.offer_sku in active or _is_held(sides, one))
    ]
    return (
        *_folded(
            Reason.OFFER_WITHOUT_VARIANT,
            [*_without_variant(sides, unlinked), *_bundle_products(sides, active)],
            sides.connection,
        ),
        *_folded(Reason.OFFER_AMBIGUOUS, _ambiguous(unlinked), sides.connection),
        *_folded(Reason.OFFER_DELETED, _deleted(sides, now), sides.connection),
        *_without_offer(sides),
        *_folded(Reason.OFFER_SKU_UNUSABLE, _unusable(sides, active), sides.connection),
    )


def _is_held(sides: Sides, one: Unlinked) -> bool:
    """Whether an offer without a product is held at zero. One whose product the shop has no more is meant to stay there."""
    return one.offer_sku in sides.held and not one.matches and not one.gone


def _without_variant(sides: Sides, unlinked: Sequence[Unlinked]) -> list[Finding]:
    found = []
    for one in unlinked:
        if one.matches:
            continue
        looked_for = "" if one.shop_sku == one.offer_sku else f" It is looked for under {one.shop_sku}."
        gone = " The shop had such a product and has it no more." if one.gone else ""
        found.append(
            Finding(
                Reason.OFFER_WITHOUT_VARIANT,
                one.offer_sku,
                f"{sides.connection} offers {one.offer_sku}, and no product of the shop carries that SKU.{looked_for}{gone} "
                "The next order for it stops, and where its stock is published it shows none. Map the SKU, correct it in "
                "Shopify, or take the offer down.",
            )
        )
    return found


def _bundle_products(sides: Sides, active: set[str]) -> list[Finding]:
    """Offers that lead to a product Shopify sells with its components only (requiresComponents), and nobody said which."""
    return [
        Finding(
            Reason.OFFER_WITHOUT_VARIANT,
            one.offer_sku,
            f"{one.offer_sku} leads to a product that Shopify sells with its components only, and nobody said what they are, "
            f"so an order for it may reserve nothing. Say it with `interlock skus bundle {sides.connection} "
            f"{one.offer_sku} SKU=UNITS …`.",
        )
        for one in sides.matches
        if isinstance(one, Linked)
        and one.offer_sku in active
        and any(variant.bundle for variant, _ in one.components)
    ]


def _ambiguous(unlinked: Sequence[Unlinked]) -> list[Finding]:
    by_sku: dict[str, list[Unlinked]] = {}
    for one in unlinked:
        if one.matches > 1:
            by_sku.setdefault(one.shop_sku, []).append(one)
    return [
        Finding(
            Reason.OFFER_AMBIGUOUS,
            shop_sku,
            f"{stopped[0].matches} products of the shop carry SKU {shop_sku}, so it is not known which one "
            f"{_listed([one.offer_sku for one in stopped])} means. Give each product a SKU of its own, or map the "
            "offer to the one that is meant.",
        )
        for shop_sku, stopped in by_sku.items()
    ]


def _deleted(sides: Sides, now: datetime) -> list[Finding]:
    offered = {offer.sku for offer in sides.offers if not offer.deleted}
    sold = {variant.sku for variant in sides.variants if not variant.gone and not variant.archived}
    return [
        Finding(
            Reason.OFFER_DELETED,
            one.sku,
            f"The offer {one.sku} was deleted at {sides.connection}, and the shop still sells the product. If nobody "
            "meant to, create the offer anew in the marketplace.",
        )
        for one in sides.deleted
        if one.sku not in offered and one.sku in sold and now - one.seen_at < DELETED_FOR
    ]


def _unusable(sides: Sides, active: set[str]) -> list[Finding]:
    return [
        Finding(
            Reason.OFFER_SKU_UNUSABLE,
            sku,
            f"The SKU “{_readable(sku)}” of an offer of {sides.connection} can stand in no stock file: it is longer than 100 "
            "characters, or holds one that cannot be printed. No figure is told for it, so the marketplace sells what it shows by "
            "itself. Give the offer another SKU in the marketplace, or look after its quantity there.",
        )
        for sku in sides.unusable & active
    ]


def _readable(sku: str) -> str:
    """The beginning of a SKU, with its code in place of what cannot be printed."""
    told = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in sku[:LONGEST_SHOWN])
    return told if len(sku) <= LONGEST_SHOWN else f"{told}…"


def _without_offer(sides: Sides) -> tuple[Finding, ...]:
    sold = [one for one in sides.variants if one.sku and not one.gone and not one.archived]
    missing = without_offer(sides.variants, sides.matches)
    if not missing or not sides.matches or len(missing) > SELECTION * len(sold):
        return ()
    return (
        Finding(
            Reason.VARIANT_WITHOUT_OFFER,
            "products",
            f"{len(missing)} of {len(sold)} products of the shop have no offer at {sides.connection}: "
            f"{_listed([one.sku for one in missing])}. Create the offers there if they are to be sold there.",
        ),
    )


def without_offer(variants: Sequence[Variant], matches: Sequence[Match]) -> tuple[Variant, ...]:
    """The variants that are for sale in the shop and stand behind no offer, by SKU."""
    behind = {variant.id for one in matches if isinstance(one, Linked) for variant, _ in one.components}
    # What an offer is looked for under, and a product of the shop that has the name of a bundle.
    named = {one.shop_sku for one in matches if isinstance(one, Unlinked)}
    named |= {one.offer_sku for one in matches if isinstance(one, Linked) and one.how == "bundle"}
    return tuple(
        sorted(
            (
                one
                for one in variants
                if one.sku
                and not one.gone
                and not one.archived
                and one.id not in behind
                and one.sku not in named
            ),
            key=lambda one: (one.sku, one.id),
        )
    )


def _folded(reason: Reason, found: list[Finding], connection: str) -> tuple[Finding, ...]:
    found.sort(key=lambda one: one.subject)
    if len(found) <= MOST_CASES:
        return tuple(found)
    rest = found[MOST_CASES:]
    said = {
        Reason.OFFER_WITHOUT_VARIANT: "offers have no product in the shop",
        Reason.OFFER_AMBIGUOUS: "SKUs are carried by several products",
        Reason.OFFER_DELETED: "offers were deleted while the shop still sells the product",
        Reason.OFFER_SKU_UNUSABLE: "offers have a SKU that can stand in no stock file",
    }[reason]
    sentence = (
        f"{len(rest)} more {said} at {connection}: {_listed([_readable(one.subject) for one in rest])}. "
        f"`interlock skus compare {connection}` lists them all; a file maps many at once."
    )
    return (*found[:MOST_CASES], Finding(reason, OTHERS, sentence))


def _listed(skus: Sequence[str]) -> str:
    shown = ", ".join(skus[:SHOWN])
    return shown if len(skus) <= SHOWN else f"{shown} and {len(skus) - SHOWN} more"
