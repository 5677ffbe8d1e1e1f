"""Carrier names taken apart: what is equal after normalisation, and the words a name is made of."""

import re
import unicodedata
from functools import lru_cache

from interlock.shipping.brands import aliases

# Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})

COUNTRIES: dict[str, str] = {
    word: code
    for code, words in {
        "GB": "uk gb britain england",
        "IE": "ie ireland irl eire",
        "DE": "de germany deutschland ger deu german",
        "AT": "at austria osterreich oesterreich aut",
        "CH": "ch switzerland schweiz suisse svizzera",
        "FR": "fr france fra french",
        "ES": "es spain espana esp spanish",
        "PT": "pt portugal prt",
        "IT": "it italy italia ita italian",
        "NL": "nl netherlands nederland nld holland dutch",
        "BE": "be belgium belgie belgique bel",
        "LU": "lu luxembourg",
        "DK": "dk denmark danmark dnk",
        "SE": "se sweden sverige swe",
        "NO": "no norway norge nor",
        "FI": "fi finland suomi fin",
        "IS": "is iceland",
        "PL": "pl poland polska pol",
        "CZ": "cz czech czechia",
        "SK": "sk slovakia",
        "HU": "hu hungary magyarorszag",
        "SI": "si slovenia slovenija",
        "HR": "hr croatia hrvatska",
        "RO": "ro romania",
        "BG": "bg bulgaria",
        "GR": "gr greece hellas",
        "TR": "tr turkey turkiye",
        "EE": "ee estonia eesti",
        "LV": "lv latvia",
        "LT": "lt lithuania",
        "RU": "ru russia rus",
        "UA": "ua ukraine",
        "US": "us usa america",
        "CA": "ca canada can",
        "MX": "mx mexico",
        "BR": "br brazil brasil",
        "AU": "au australia aus",
        "NZ": "nz zealand",
        "CN": "cn china",
        "HK": "hk hongkong",
        "SG": "sg singapore",
        "MY": "my malaysia",
        "TH": "th thailand",
        "JP": "jp japan",
        "KR": "kr korea",
        "IN": "in india",
        "ZA": "za",
    }.items()
    for word in words.split()
}
"""Words for a country in a carrier's name, with its ISO 3166 code. Two letters count at the end of a name only."""

SERVICES: dict[str, str] = {
    word: word_of_all
    for word_of_all, words in {
        "tracked": "tracked trk tracking trckd tr suivi suivie",
        "signed": "signed sign signature sgnd",
        "express": "express expres expr exp xp urgent espresso",
        "standard": "standard std stnd estandar",
        "economy": "economy eco econ economic economico saver",
        "priority": "priority prio prioritaire",
        "international": "international intl int internacional internationale internazionale world worldwide global",
        "domestic": "domestic national nazionale nacional inland",
        "nextday": "nextday nxtday nd overnight tomorrow",
        "sameday": "sameday",
        "ground": "ground",
        "home": "home domicile domicilio haustur",
        "relay": "relay relais point pickup parcelshop pickuppoint servicepoint locker pudo shop",
        "freight": "freight pallet palette ltl cargo fret",
        "letter": "letter lettre brief letterbox",
        "parcel": "parcel parcels paket pakket packet package colis paquete pacco paczka",
        "returns": "returns return retour",
        "first": "first 1st",
        "second": "second 2nd",
        "class": "class",
        "large": "large lrg",
    }.items()
    for word in words.split()
}
"""Words for a service, brought to one word each."""

_FILLERS = (
    "courier couriers courrier logistics logistik logistica logistic group ltd limited gmbh ag sa spa inc llc co kg se "
    "service services servizi servicio delivery deliveries shipping ship shipment transport transporte transports "
    "company corp carrier the and by via de la le les der die das post postal"
)
FILLERS = frozenset(_FILLERS.split())
"""Words that many carriers have and that tell little."""

_PLACEHOLDERS = (
    "other others autre autres andere anderer sonstige sonstiges otro otros altro altri overig inne custom unknown none "
    "na default carrier courier transporteur notlisted othercarrier customcarrier"
)
PLACEHOLDERS = frozenset(_PLACEHOLDERS.split())
"""Names that stand for no carrier; a person decides what they mean."""


def plain(text: str) -> str:
    """The text in lower case, without accents; `+` at the end of a word is the word `plus`, as in Collect+."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    apart = unicodedata.normalize("NFKD", folded)
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return re.sub(r"(?<=\w)\+(?=\W|$)", " plus ", unicodedata.normalize("NFC", bare))


@lru_cache(maxsize=16384)
def key(text: str) -> str:
    """What two spellings of one name have in common: letters and digits alone, without case and accents. Empty for a
    text without any."""
    return re.sub(r"[\W_]+", "", plain(text))


def words(text: str) -> tuple[str, ...]:
    """The words of a name, digits apart from letters, words written together apart where they are known."""
    return tuple(part for word in re.findall(r"[^\W\d_]+|\d+", plain(text)) for part in _apart(word))


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    known = {word for alias in aliases() for word in alias}
    known |= {word for word in (*COUNTRIES, *SERVICES, *FILLERS)}
    return frozenset(word for word in known if len(word) > 1)


@lru_cache(maxsize=65536)
def _apart(word: str) -> tuple[str, ...]:
    """A word as the known words it is written together from; the fewest, and the word itself where there are none."""
    known = _vocabulary()
    if len(word) < 5 or not word.isascii() or word.isdigit() or word in known:
        return (word,)
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        ways = [
            (*before, word[start:end])
            for start in range(end)
            if (before := best[start]) is not None and word[start:end] in known
        ]
        best.append(min(ways, key=lambda way: (len(way), min(-len(part) for part in way)), default=None))
    whole = best[-1]
    if whole is None or len(whole) > 4 or sum(len(part) <= 2 for part in whole) > 1:
        return (word,)
    return whole


_LEFT_OUT = 3
"""Fewer letters left out make no abbreviation."""


def abbreviates(short: str, full: tuple[str, ...]) -> float:
    """How well `short` (a key) abbreviates the words of `full` in order: each word gives its first letters or nothing,
    a number is given whole. 1 for every word touched, less for each left out, 0 when it does not abbreviate at all."""
    if len(short) < 2 or len(full) < 2 or sum(map(len, full)) < len(short) + _LEFT_OUT:
        return 0.0
    if not any(word[0] == short[0] for word in full):
        return 0.0
    # how far into `short` one can be after some words, with the most words touched on the way
    reached: dict[int, int] = {0: 0}
    for word in full:
        further = dict(reached)
        longest = len(word)
        for position, touched in reached.items():
            sizes = (longest,) if word.isdigit() else range(1, longest + 1)
            for size in sizes:
                if short.startswith(word[:size], position):
                    end = position + size
                    further[end] = max(further.get(end, 0), touched + 1)
                elif not word.isdigit():
                    break
        reached = further
    touched = reached.get(len(short), 0)
    if touched < 2 or any(word.isdigit() and word not in short for word in full):
        return 0.0
    return touched / len(full)
