"""Which carriers of a marketplace a shop's name could mean, the likeliest first, each with its reasons.

Only an exact name is taken by itself (`exact_match`). All else here is for a person to choose from.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from interlock.orders.connection import Carrier, EarlierChoice
from interlock.shipping.brands import Brand, aliases, brands_of_number
from interlock.shipping.names import COUNTRIES, FILLERS, PLACEHOLDERS, SERVICES, abbreviates, key, words
from interlock.shipping.shopify_carriers import offered_by_shopify

LEAST_SCORE = 0.3
"""What scores less is not worth a person's look."""

_SHORT_CODE = 4
_ALIKE = 0.9
_SIMILAR = 80
"""From so much likeness (of 100) on, what was chosen for one name says something of another."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A carrier the name could mean. `score` is between 0 and 1 and orders the suggestions; it is no probability.
    `automatic` only for the one carrier whose name is exactly this one."""

    code: str
    label: str
    score: float
    reasons: tuple[str, ...]
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class _Name:
    """A name taken apart. `brands` are those it names, the most telling first; `rest` the words outside of them."""

    text: str
    key: str
    words: tuple[str, ...]
    brands: tuple[Brand, ...]
    brand_words: tuple[str, ...]
    rest: tuple[str, ...]
    countries: tuple[str, ...]

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in self.rest if word.isdigit())


@dataclass(frozen=True, slots=True)
class _Index:
    carriers: tuple[Carrier, ...]
    names: tuple[tuple[_Name, ...], ...]
    often: dict[str, int]

    def weight(self, word: str) -> float:
        """How much a shared word tells: little when many carriers of the list have it, or carriers in general do."""
        if word in FILLERS:
            return 0.25
        weight = 1.0 / (1.0 + 0.15 * self.often.get(word, 0))
        return 0.6 * weight if word in SERVICES or word in COUNTRIES else weight


def exact_match(carriers: tuple[Carrier, ...], shop_name: str) -> Carrier | None:
    """The one carrier whose label or code is this name but for case, accents, blanks and punctuation.

    None when several are, and when the name stands for no carrier (`Other`). A code alone counts only where its label
    is spelt out by it word for word (`RM24`), or names the same brand and no other carrier of the list is of that
    company: lists keep old codes for new carriers, so that `TNT` is the code of PostNL in one and `hermes` that of
    Hermes in Britain in another.
    """
    wanted = key(shop_name)
    if not wanted or wanted in PLACEHOLDERS:
        return None
    # A second carrier that is called so, by label or code, makes the name ambiguous.
    found = [
        carrier
        for carrier in carriers
        if wanted in (key(carrier.label), key(carrier.code), key(carrier.standard_code))
    ]
    if len(found) != 1:
        return None
    return found[0] if key(found[0].label) == wanted or _code_counts(carriers, found[0], shop_name) else None


def _code_counts(carriers: tuple[Carrier, ...], carrier: Carrier, shop_name: str) -> bool:
    wanted, label = _taken_apart(shop_name), _taken_apart(carrier.label)
    if len(wanted.key) >= _SHORT_CODE and abbreviates(wanted.key, label.words) == 1.0:
        return True
    if not _same_brand(wanted, label):
        return False
    brand = wanted.brands[0]
    others = (name for other in carriers if other is not carrier for name in _names(other))
    return not any(_kinship(brand, theirs) for name in others for theirs in name.brands)


def _same_brand(one: _Name, other: _Name) -> bool:
    return bool(one.brands and other.brands and one.brands[0] == other.brands[0])


def suggest(
    carriers: tuple[Carrier, ...],
    shop_name: str,
    *,
    tracking: str = "",
    country: str = "",
    earlier: tuple[EarlierChoice, ...] = (),
    limit: int = 10,
) -> tuple[Suggestion, ...]:
    """The carriers (SH21) a name could mean. `tracking` is a tracking number of the parcel, `country` where the parcel
    goes to or comes from (ISO 3166 alpha-2); both only break ties. `earlier` is what people chose for this name, which
    says the most, or for similar ones. At most `limit`, the likeliest first."""
    asked = _taken_apart(shop_name)
    if not asked.key:
        return ()
    index = _index(carriers)
    exact = exact_match(carriers, shop_name)
    by_number = brands_of_number(tracking) if tracking.strip() else ()
    ranked = []
    for carrier, names in zip(index.carriers, index.names, strict=True):
        evidence = _Evidence(index, asked, names, country.strip().upper())
        score, reasons = evidence.score()
        score, reasons = _with_number(score, reasons, names, by_number)
        score, reasons = _with_earlier(score, reasons, carrier, asked, earlier)
        if carrier is exact:
            score, reasons = 1.0, ["the same name but for case, accents, blanks and punctuation"]
        elif any(asked.key == name.key for name in names):
            score = max(score, 0.97)
            reasons = [
                "the same name, but not of this carrier alone or too short to be taken by itself",
                *reasons,
            ]
        score = min(score, 0.99) if carrier is not exact else score
        if score >= LEAST_SCORE:
            found = Suggestion(carrier.code, carrier.label, round(score, 3), tuple(reasons), carrier is exact)
            ranked.append((-score, len(key(carrier.label)), carrier.label.casefold(), carrier.code, found))
    ranked.sort(key=lambda row: row[:4])
    return tuple(row[4] for row in ranked[:limit])


# -- the evidence ------------------------------------------------------------------------------------------


class _Evidence:
    """What speaks for one carrier of the list, by all the names the marketplace has for it."""

    def __init__(self, index: _Index, asked: _Name, names: tuple[_Name, ...], country: str) -> None:
        self.index = index
        self.asked = asked
        self.names = names
        self.country = country
        self.reasons: list[str] = []

    def score(self) -> tuple[float, list[str]]:
        alike, name = max(
            ((self._alike(name), -position, name) for position, name in enumerate(self.names)),
            key=lambda row: row[:2],
        )[::2]
        brand, said = self._brand()
        if said:
            self.reasons.append(said)
        if alike >= 0.5 or not said:
            self._say_words(name)
        if brand is None:
            score = 0.75 * alike
        elif brand == 0.0:
            score = 0.35 * alike
        else:
            score = 0.68 * brand + 0.27 * max(alike, self._rest_alike())
        score += self._numbers() + self._countries()
        return max(score, 0.0), self.reasons

    def _brand(self) -> tuple[float | None, str]:
        """How far both name the same brand: None when either names none that is known."""
        mine = self.asked.brands
        theirs = next((name.brands for name in self.names if name.brands), ())
        if not mine or not theirs:
            return None, ""
        best = (0.0, "")
        for position, one in enumerate(mine):
            for other in theirs:
                far = _kinship(one, other) * (1.0 if position == 0 else 0.9)
                if far > best[0]:
                    same = one.id == other.id
                    said = (
                        f"the same brand ({one.id})"
                        if same
                        else f"the same company ({one.id} and {other.id})"
                    )
                    best = (far, said)
        return best

    def _alike(self, name: _Name) -> float:
        asked = self.asked
        if not name.key:
            return 0.0
        overlap = self._overlap(asked.words, name.words)
        written = max(
            fuzz.ratio(asked.key, name.key),
            fuzz.token_sort_ratio(" ".join(asked.words), " ".join(name.words)),
        )
        edit = max(0.0, (written / 100 - 0.4) / 0.6)
        short = max(abbreviates(asked.key, name.words), abbreviates(name.key, asked.words))
        within = 0.0
        if min(len(asked.key), len(name.key)) >= 4 and (asked.key in name.key or name.key in asked.key):
            within = 0.6 + 0.4 * min(len(asked.key), len(name.key)) / max(len(asked.key), len(name.key))
        return max(0.55 * overlap + 0.45 * edit, overlap * 0.95, edit * 0.9, 0.85 * short, 0.85 * within)

    def _overlap(self, one: tuple[str, ...], other: tuple[str, ...]) -> float:
        """Words in common, weighed, against all words of both."""
        mine, theirs = _meant(one), _meant(other)
        if not mine or not theirs:
            return 0.0
        left = list(theirs)
        shared = 0.0
        for word in mine:
            partner = next((w for w in left if w == word), None) or next(
                (w for w in left if _nearly(word, w)), None
            )
            if partner is not None:
                left.remove(partner)
                shared += 2 * min(self.index.weight(word), self.index.weight(partner))
        total = sum(self.index.weight(word) for word in (*mine, *theirs))
        return shared / total if total else 0.0

    def _rest_alike(self) -> float:
        """How alike the words beside the brand are: the service, mostly. Nothing on both sides is alike."""
        best = 0.0
        for name in self.names:
            mine = tuple(w for w in self.asked.rest if w not in FILLERS and w not in COUNTRIES)
            theirs = tuple(w for w in name.rest if w not in FILLERS and w not in COUNTRIES)
            if not name.brands:
                continue
            best = max(best, 0.9 if not mine and not theirs else self._overlap(mine, theirs))
        return best

    def _say_words(self, name: _Name) -> None:
        asked = self.asked
        if abbreviates(asked.key, name.words):
            self.reasons.append(f"“{asked.text}” abbreviates “{name.text}”")
        elif abbreviates(name.key, asked.words):
            self.reasons.append(f"“{name.text}” abbreviates “{asked.text}”")
        theirs = _meant(name.words)
        shared = [word for word in asked.words if SERVICES.get(word, word) in theirs and word not in FILLERS]
        if shared:
            self.reasons.append(f"words in common: {', '.join(dict.fromkeys(shared))}")
        elif not self.reasons:
            self.reasons.append(f"spelt alike: “{name.text}”")

    def _numbers(self) -> float:
        """24 is not 48: numbers beside the brand that differ speak against a carrier."""
        mine = self.asked.numbers
        theirs = frozenset(number for name in self.names[:2] for number in name.numbers)
        if mine and theirs:
            if mine & theirs:
                self.reasons.append(f"the same number: {', '.join(sorted(mine & theirs))}")
                return 0.05
            self.reasons.append(f"another number: {', '.join(sorted(theirs))}")
            return -0.2
        return -0.04 if theirs else 0.0

    def _countries(self) -> float:
        mine = _at_home(self.asked)
        theirs = frozenset(country for name in self.names for country in _at_home(name))
        if mine and theirs:
            return 0.06 if mine & theirs else -0.22
        hints = (self.country,) if self.country else ()
        offered = offered_by_shopify(self.asked.text)
        if offered and offered[1]:
            hints = (*hints, *offered[1])
        if not mine and theirs and hints:
            if theirs & set(hints):
                self.reasons.append(f"at home in {', '.join(sorted(theirs & set(hints)))}")
                return 0.09
            return -0.06
        return -0.03 if theirs and not mine and len(theirs) == 1 else 0.0


def _kinship(one: Brand, other: Brand) -> float:
    if one.id == other.id:
        return 1.0
    if one.group != other.group:
        return 0.0
    return 0.84 if one.group in (one.id, other.id) else 0.6


def _at_home(name: _Name) -> frozenset[str]:
    """The countries a name itself says: by a word, or by a national brand of an international group."""
    if name.countries:
        return frozenset(name.countries)
    first = name.brands[0] if name.brands else None
    return frozenset(first.countries) if first is not None and first.group != first.id else frozenset()


def _with_number(
    score: float, reasons: list[str], names: tuple[_Name, ...], by_number: tuple[Brand, ...]
) -> tuple[float, list[str]]:
    theirs = next((name.brands[0] for name in names if name.brands), None)
    if not by_number or theirs is None:
        return score, reasons
    if theirs in by_number:
        return score + 0.12, [*reasons, "the tracking number looks like theirs"]
    if not theirs.numbers and any(brand.group == theirs.group for brand in by_number):
        return score + 0.05, [*reasons, "the tracking number looks like their group's"]
    return score, reasons


def _with_earlier(
    score: float, reasons: list[str], carrier: Carrier, asked: _Name, earlier: tuple[EarlierChoice, ...]
) -> tuple[float, list[str]]:
    theirs = {key(carrier.label), key(carrier.code), key(carrier.standard_code)} - {""}
    chosen = [choice for choice in earlier if key(choice.carrier) in theirs]
    same = dict.fromkeys(one.connection for one in chosen if key(one.shop_name) == asked.key)
    if same:
        return max(score, 0.6) + 0.3, [*reasons, f"chosen for this name before ({', '.join(same)})"]
    similar = next((one for one in chosen if speaks_of(one.shop_name, asked.text)), None)
    if similar is not None:
        said = f"chosen for “{similar.shop_name.strip()}” before ({similar.connection})"
        return max(score, 0.4) + 0.15, [*reasons, said]
    return score, reasons


def speaks_of(mapped: str, asked: str) -> bool:
    """Whether what was chosen for the name `mapped` says something of the name `asked`: the same but for case, accents,
    blanks and punctuation, or similar. Names with different numbers, such as 24 and 48, are not similar."""
    one, other = _taken_apart(mapped), _taken_apart(asked)
    if not one.key or not other.key:
        return False
    if one.key == other.key:
        return True
    if _digits(one) != _digits(other) or {one.key, other.key} & PLACEHOLDERS:
        return False
    return fuzz.token_sort_ratio(" ".join(one.words), " ".join(other.words)) >= _SIMILAR


def _digits(name: _Name) -> frozenset[str]:
    return frozenset("".join(sign for sign in word if sign.isdigit()) for word in name.words) - {""}


# -- names taken apart -------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _index(carriers: tuple[Carrier, ...]) -> _Index:
    names = tuple(_names(carrier) for carrier in carriers)
    often = Counter(word for of_one in names for word in {w for name in of_one for w in _meant(name.words)})
    return _Index(carriers, names, dict(often))


def _names(carrier: Carrier) -> tuple[_Name, ...]:
    """What the marketplace calls a carrier, the label first."""
    texts = dict.fromkeys((carrier.label, carrier.code, carrier.standard_code))
    return tuple(_taken_apart(text) for text in texts if text.strip())


@lru_cache(maxsize=16384)
def _taken_apart(text: str) -> _Name:
    whole = words(text)
    found: list[tuple[int, Brand, tuple[str, ...]]] = []
    rest: list[str] = []
    longest = max(len(alias) for alias in aliases())
    position = 0
    while position < len(whole):
        for size in range(min(longest, len(whole) - position), 0, -1):
            alias = whole[position : position + size]
            if alias in aliases():
                found.append((-size, aliases()[alias], alias))
                position += size
                break
        else:
            rest.append(whole[position])
            position += 1
    # The longest alias first: “la poste colissimo” says more than “ups” beside it.
    found.sort(key=lambda row: row[0])
    brands = tuple(dict.fromkeys(brand for _, brand, _ in found))
    spoken = tuple(word for _, _, alias in found for word in alias)
    return _Name(
        text.strip(), key(text), whole, brands, spoken, tuple(rest), _countries_of(whole, tuple(rest))
    )


def _countries_of(whole: tuple[str, ...], rest: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            COUNTRIES[word]
            for word in rest
            if word in COUNTRIES and (len(word) > 2 or word == whole[-1] or word in ("uk", "gb", "usa"))
        )
    )


def _meant(of_name: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(SERVICES.get(word, word) for word in of_name)


def _nearly(one: str, other: str) -> bool:
    """Whether two words are one misspelt, or one the beginning of the other."""
    if one.isdigit() or other.isdigit() or min(len(one), len(other)) < 4:
        return False
    if one.startswith(other) or other.startswith(one):
        return True
    return JaroWinkler.similarity(one, other) >= _ALIKE
