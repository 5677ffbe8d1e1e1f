"""The manual as the console shows it: the pages of `docs/`, found by address or title, rendered without raw HTML."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

# In an installed package the pages lie beside this module; in a working copy, at its root.
_PACKAGED = Path(__file__).parent.parent / "manual"
_WORKING_COPY = Path(__file__).resolve().parents[3] / "docs"
FOLDER = _PACKAGED if _PACKAGED.is_dir() else _WORKING_COPY

BASE = "/manual/"
CASES = "operations/cases/"
SECTIONS = (
    ("operations/", "Running the business"),
    (CASES, "Cases, one page each"),
    ("how-it-works/", "How it works"),
    ("platforms/", "The two platforms"),
    ("reference/", "Reference"),
    ("decisions/", "Decisions"),
    ("", "Other pages"),
)
MOST_FOUND = 60
_ADDRESS = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
_FIRST_PAGES = (
    "index",
    "operations/a-day",
    "operations/a-day-in-customer-service",
    "operations/a-day-in-operations",
    "operations/a-day-in-finance",
    "operations/on-call",
    "operations/who-owns-what",
    "operations/what-is-automatic",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the manual in a list: its address below `/manual/` and its title."""

    place: str
    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """Pages that belong together, by title."""

    name: str
    pages: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class ManualPage:
    """One page, ready to be shown: `html` is made of our own marks, everything written in the page is escaped."""

    place: str
    title: str
    section: str
    html: str


@lru_cache(maxsize=2)
def contents(folder: Path = FOLDER) -> tuple[Section, ...]:
    """Every page by section, the pages to read first at the top of theirs."""
    found: dict[str, list[Listed]] = {name: [] for _, name in SECTIONS}
    for path in sorted(folder.rglob("*.md")):
        place = path.relative_to(folder).with_suffix("").as_posix()
        found[_section_of(place)].append(Listed(place, _title_of(path.read_text(encoding="utf-8"), place)))
    return tuple(
        Section(name, tuple(sorted(pages, key=_order_in_section))) for name, pages in found.items() if pages
    )


def search(words: str, folder: Path = FOLDER) -> tuple[Listed, ...]:
    """Pages whose title, or the code of whose case, has every one of the words, in the order of the contents."""
    wanted = words.casefold().split()[:10]
    if not wanted:
        return ()
    pages = [page for section in contents(folder) for page in section.pages]
    found = [page for page in pages if all(word in _searched(page) for word in wanted)]
    return tuple(found[:MOST_FOUND])


def manual_page(place: str, folder: Path = FOLDER) -> ManualPage | None:
    """The page at this address below `/manual/`; None when there is none."""
    if not _ADDRESS.fullmatch(place):
        return None
    path = folder / f"{place}.md"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    return ManualPage(place, _title_of(text, place), _section_of(place), _rendered(text, place, folder))


def _section_of(place: str) -> str:
    best = max((prefix for prefix, _ in SECTIONS if place.startswith(prefix)), key=len)
    return dict(SECTIONS)[best]


def _order_in_section(page: Listed) -> tuple[int, str]:
    first = _FIRST_PAGES.index(page.place) if page.place in _FIRST_PAGES else len(_FIRST_PAGES)
    return first, page.title.casefold()


def _searched(page: Listed) -> str:
    return f"{page.title} {page.place.rpartition('/')[2]}".casefold()


def _title_of(text: str, place: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else place.rpartition("/")[2]


# -- rendering ---------------------------------------------------------------------------------------------


def _rendered(text: str, place: str, folder: Path) -> str:
    """The page as HTML. Tags that are written in a page are shown as text; links lead to pages of the manual, or away."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(tokens[number + 1].content))
        if token.type == "table_open":
            token.attrSet("class", "table")
        _lead(token.children or (), place, folder)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _lead(inline: Sequence[Token], place: str, folder: Path) -> None:
    """Make the links of one piece of text lead where they lead in the manual; one to a file outside becomes text."""
    closing: list[str] = []
    for token in inline:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
            there = address_of(href, place, folder)
            if there is None:
                token.tag = "span"
                token.attrs = {}
            else:
                token.attrs = {"href": there, **({"rel": "noreferrer"} if _SCHEME.match(there) else {})}
            closing.append(token.tag)
        elif token.type == "link_close":
            token.tag = closing.pop()


def address_of(href: str, place: str, folder: Path = FOLDER) -> str | None:
    """Where a link of the page at `place` leads in the console; None for a file that is no page of the manual."""
    if _SCHEME.match(href) or href.startswith("#"):
        return href
    target, _, anchor = href.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
    if not path.endswith(".md") or not _ADDRESS.fullmatch(path.removesuffix(".md")):
        return None
    if not (folder / path).is_file():
        return None
    return BASE + path.removesuffix(".md") + (f"#{anchor}" if anchor else "")


def anchor_of(heading: str) -> str:
    """The name under which a heading is linked to, as the pages' links write it."""
    return _NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")
