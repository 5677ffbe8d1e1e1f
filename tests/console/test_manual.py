"""The manual inside the console: every page shows, links lead to pages, and nothing written in a page becomes markup."""

import re
from pathlib import Path

import pytest

from interlock.console.manual import FOLDER, address_of, anchor_of, contents, manual_page, search
from interlock.orders.reasons import Reason

PLACES = [page.place for section in contents() for page in section.pages]


def test_every_page_of_the_manual_is_in_its_contents() -> None:
    written = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.md")}

    assert set(PLACES) == written
    assert {f"operations/cases/{reason.value}" for reason in Reason} <= set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_every_page_shows_and_its_links_lead_to_headings_that_exist(place: str) -> None:
    page = manual_page(place)

    assert page is not None
    assert f'<h1 id="{anchor_of(page.title)}">' in page.html
    for href in re.findall(r'href="([^"]*)"', page.html):
        if href.startswith("/manual/"):
            there, _, anchor = href.removeprefix("/manual/").partition("#")
            found = manual_page(there)
            assert found is not None, href
            assert not anchor or f'id="{anchor}"' in found.html, href
        else:
            assert href.startswith(("https://", "http://", "#")), href


@pytest.mark.parametrize(
    ("href", "leads_to"),
    [
        ("b.md", "/manual/operations/b"),
        ("cases/c.md#what-to-do", "/manual/operations/cases/c#what-to-do"),
        ("../d.md", "/manual/d"),
        ("#here", "#here"),
        ("https://docs.example/x.md", "https://docs.example/x.md"),
        ("../../README.md", None),
        ("../../../etc/passwd", None),
        ("missing.md", None),
        ("../flow.svg", None),
    ],
)
def test_a_link_leads_to_a_page_of_the_manual_or_away_or_nowhere(
    tmp_path: Path, href: str, leads_to: str | None
) -> None:
    for name in ("operations/a.md", "operations/b.md", "operations/cases/c.md", "d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A page\n")

    assert address_of(href, "operations/a", tmp_path) == leads_to


def test_what_is_written_in_a_page_never_becomes_markup(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# <b>Title</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) `<i>`\n\n| a |\n|---|\n| <img src=x> |\n"
    )

    page = manual_page("a", tmp_path)

    assert page is not None
    for tag in ("<script", "<img", "<b>", "<i>", 'href="javascript:'):
        assert tag not in page.html
    assert "&lt;script&gt;" in page.html


@pytest.mark.parametrize(
    "place", ["", "../secret", "operations/../../x", "a.md", "operations/", "/etc/passwd", "nope"]
)
def test_an_address_that_is_no_page_has_none(place: str) -> None:
    assert manual_page(place) is None


def test_a_page_is_found_by_words_of_its_title_and_by_the_code_of_its_case() -> None:
    assert "operations/cases/carrier_unknown" in [page.place for page in search("CARRIER mapped")]
    assert [page.place for page in search("carrier_unknown")] == ["operations/cases/carrier_unknown"]
    assert search("no page has these words") == ()
    assert search("   ") == ()
