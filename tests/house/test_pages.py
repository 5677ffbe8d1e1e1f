"""The documentation: generated pages are current and every link leads somewhere."""

from pathlib import Path

import pytest

from tools.pages import broken_links, generated, stale


def test_generated_pages_say_what_the_code_says() -> None:
    assert list(stale()) == []


def test_every_link_between_pages_leads_somewhere() -> None:
    assert list(broken_links()) == []


def test_a_page_that_was_edited_by_hand_is_noticed(tmp_path: Path) -> None:
    for name, text in generated().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\nAnd more.\n")

    assert len(list(stale(tmp_path))) == len(generated())


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("[one](other.md)", False),
        ("[one](other.md#the-second-part)", False),
        ("[one](https://example.com/nowhere)", False),
        ("`[one](missing.md)`", False),
        ("[one](missing.md)", True),
        ("[one](other.md#no-such-part)", True),
        ("[one](#nowhere)", True),
    ],
)
def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path, link: str, broken: bool) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(f"# A page\n\n{link}\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## The second part\n")

    assert bool(list(broken_links(tmp_path))) is broken
