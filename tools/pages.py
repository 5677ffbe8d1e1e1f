"""Writes the generated pages of the documentation, and checks them and every link between pages."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from interlock.storage import personal_data
from interlock.tables import metadata
from tools import alert_pages, api_calls, edit_tables, manual_tables, reference

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def generated() -> dict[str, str]:
    """Every generated page: its path from the root of the project, and what it should say."""
    return {
        "docs/operations/alerts.md": alert_pages.page(),
        "docs/operations/edits.md": edit_tables.page(),
        "docs/operations/what-is-automatic.md": manual_tables.automatic_page(),
        "docs/operations/who-owns-what.md": manual_tables.owners_page(),
        "docs/platforms/unverified.md": reference.unverified_page(),
        "docs/reference/api.md": api_calls.page(),
        "docs/reference/actions.md": reference.actions_page(),
        "docs/reference/personal-data.md": personal_data.page(metadata),
        "docs/reference/reasons.md": reference.reasons_page(),
        "docs/reference/settings.md": reference.settings_page(),
    }


def stale(root: Path = ROOT) -> Iterator[str]:
    """A sentence for each generated page that is missing or says something else."""
    for name, text in generated().items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{name} is not what the code says: run ./dev generate"


def broken_links(root: Path = ROOT) -> Iterator[str]:
    """A sentence for each link in a page that leads to no file, or to no heading of it."""
    for page in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        for target in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", target):
                continue
            place, _, anchor = target.partition("#")
            file = page if not place else (page.parent / place).resolve()
            if not file.exists():
                yield f"{page.relative_to(root)} links to {target}, which does not exist"
            elif anchor and file.suffix == ".md" and anchor not in set(_anchors(file)):
                yield f"{page.relative_to(root)} links to {target}, but that page has no such heading"


def _anchors(page: Path) -> Iterator[str]:
    for heading in _HEADING.findall(page.read_text(encoding="utf-8")):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        for name, text in generated().items():
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"Written: {name}")
        return 0
    if arguments != ["--check"]:
        print("usage: python -m tools.pages --check | --write", file=sys.stderr)
        return 2
    problems = [*stale(), *broken_links()]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
