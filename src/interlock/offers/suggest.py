"""Which products of the shop a marketplace SKU could mean, the likeliest first, each with its reasons.

Nothing here is ever taken by itself: a SKU that is not the same to the letter, and a barcode, are for a person to judge.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from interlock.offers.matching import Variant

LEAST_SCORE = 0.3
"""What scores less is not worth a person's look."""
_CLOSE = 60
_LOOKED_AT = 50
_NOT_A_SIGN = re.compile(r"[^0-9a-z]+")
_SHORTEST_PART = 4


@dataclass(frozen=True, slots=True)
class EarlierChoice:
    """What somebody of this installation mapped a marketplace SKU to before, and where."""

    sku: str
    shop_sku: str
    connection: str


@dataclass(frozen=True, slots=True)
class SkuSuggestion:
    """A product the SKU could mean. `score` is between 0 and 1 and orders the suggestions; it is no probability."""

    shop_sku: str
    title: str
    score: float
    reasons: tuple[str, ...]


def sku_key(sku: str) -> str:
    """A SKU without case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", sku).casefold()
    return _NOT_A_SIGN.sub("", "".join(sign for sign in plain if not unicodedata.combining(sign)))


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop's products as they are searched, prepared once for many SKUs. `barcodes` and `bare` give the places of the
    candidates by barcode and by SKU key, both without leading zeros; `number` says how many products carry a SKU."""

    candidates: tuple[Variant, ...]
    keys: tuple[str, ...]
    titles: tuple[str, ...]
    barcodes: Mapping[str, tuple[int, ...]]
    bare: Mapping[str, tuple[int, ...]]
    places: Mapping[str, tuple[int, ...]]
    number: Mapping[str, int]


def shop_of(variants: Iterable[Variant]) -> Shop:
    """Prepare a shop's products for being searched."""
    candidates = tuple(one for one in variants if one.sku and not one.gone)
    keys = tuple(sku_key(one.sku) for one in candidates)
    return Shop(
        candidates,
        keys,
        tuple(one.title.casefold() for one in candidates),
        _by(_bare(one.barcode) for one in candidates),
        _by(_bare(key) for key in keys),
        _by(one.sku for one in candidates),
        Counter(one.sku for one in candidates if not one.archived),
    )


def suggest(
    sku: str,
    shop: Shop,
    *,
    title: str = "",
    product_ids: Sequence[str] = (),
    earlier: Sequence[EarlierChoice] = (),
    limit: int = 5,
) -> tuple[SkuSuggestion, ...]:
    """The products a marketplace SKU could mean, by what is known of its offer: the SKU itself, a `title`, the codes of
    its product (such as an EAN), and what was chosen for the same SKU at other marketplaces. At most `limit`."""
    codes = {_bare(code) for code in (*product_ids, sku)} - {""}
    chosen = {one.shop_sku: one.connection for one in reversed(earlier) if one.sku == sku}
    best: dict[str, SkuSuggestion] = {}
    for place in sorted(_worth_a_look(sku_key(sku), title.casefold(), shop, codes, chosen)):
        one = shop.candidates[place]
        score, reasons = _judged(sku, shop.keys[place], one, title, codes, chosen)
        if one.archived:
            score, reasons = score * 0.5, [*reasons, "its product is archived"]
        if shop.number.get(one.sku, 0) > 1:
            score, reasons = score * 0.8, [*reasons, f"{shop.number[one.sku]} products carry this SKU"]
        known = best.get(one.sku)
        if score >= LEAST_SCORE and (known is None or score > known.score):
            best[one.sku] = SkuSuggestion(one.sku, one.title, round(score, 3), tuple(reasons))
    ranked = sorted(best.values(), key=lambda one: (-one.score, len(one.shop_sku), one.shop_sku))
    return tuple(ranked[:limit])


def _worth_a_look(key: str, title: str, shop: Shop, codes: set[str], chosen: Mapping[str, str]) -> set[int]:
    """The places of the products that something speaks for, found without judging every product of a large shop."""
    found = {place for sku in chosen for place in shop.places.get(sku, ())}
    found |= {place for code in codes for place in shop.barcodes.get(code, ())}
    if key:
        found |= set(shop.bare.get(_bare(key), ()))
        found |= {
            place
            for _, _, place in process.extract(
                key, shop.keys, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=_LOOKED_AT
            )
        }
        if len(key) >= _SHORTEST_PART:
            found |= {
                place
                for place, other in enumerate(shop.keys)
                if len(other) >= _SHORTEST_PART and (other in key or key in other)
            }
    if title:
        found |= {
            place
            for _, _, place in process.extract(
                title, shop.titles, scorer=fuzz.token_sort_ratio, score_cutoff=_CLOSE, limit=_LOOKED_AT
            )
        }
    return found


def _by(values: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """The places of each value that is not empty."""
    found: dict[str, tuple[int, ...]] = {}
    for place, value in enumerate(values):
        if value:
            found[value] = (*found.get(value, ()), place)
    return found


def _judged(
    sku: str, key: str, one: Variant, title: str, codes: set[str], chosen: Mapping[str, str]
) -> tuple[float, list[str]]:
    wanted = sku_key(sku)
    reasons: list[str] = []
    score = 0.0
    if one.sku == sku:
        score = 0.99
        reasons.append("the same SKU")
    elif wanted and key == wanted:
        score = 0.97
        reasons.append("the same but for case, blanks and punctuation")
    elif wanted and _bare(key) == _bare(wanted):
        score = 0.94
        reasons.append("the same but for leading zeros")
    else:
        alike = fuzz.ratio(wanted, key) / 100 if wanted else 0.0
        short, long = sorted((wanted, key), key=len)
        if len(short) >= _SHORTEST_PART and short in long:
            score = 0.45 + 0.4 * len(short) / len(long)
            reasons.append(f"one is part of the other: {one.sku}")
        elif alike >= _CLOSE / 100:
            score = 0.75 * alike
            reasons.append(f"spelt alike: {one.sku}")
    if one.barcode and _bare(one.barcode) in codes:
        score = max(score + 0.1, 0.9)
        reasons.append(f"the same barcode: {one.barcode}")
    if title and one.title:
        named = fuzz.token_sort_ratio(title.casefold(), one.title.casefold()) / 100
        if named >= 0.95:
            score = max(score + 0.08, 0.75)
            reasons.append("the same name")
        elif named >= _CLOSE / 100:
            score = max(score + 0.05, 0.6 * named)
            reasons.append(f"a name alike: {one.title}")
    if one.sku in chosen:
        score = max(score, 0.6) + 0.3
        reasons.append(f"chosen for this SKU before ({chosen[one.sku]})")
    return min(score, 0.99), reasons


def _bare(code: str) -> str:
    """A code without leading zeros: spreadsheets drop them, and an EAN-13 of a UPC has one more."""
    return code.strip().lstrip("0")
