"""The manual says what the code says: a page for each reason, commands that exist, files and names that exist."""

import re
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from interlock.console import (
    alert_list,
    api_key_list,
    api_key_pages,
    audit_list,
    case_list,
    connection_list,
    order_list_pages,
    people_list,
    privacy_list,
    privacy_pages,
    refund_tasks,
    sku_health,
)
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.simulator.mirakl.switches import SWITCHES
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from tools.reference import OPTIONS, defines

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CASES = DOCS / "operations" / "cases"
TRAVELS = DOCS / "how-it-works" / "how-an-edit-travels.md"
SOURCES = ROOT / "src" / "interlock"
SECTIONS = [
    "What happened",
    "What it means",
    "What to do",
    "What happens if nobody does",
    "How it closes",
]


# -- a page for each reason --------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_page_that_says_who_owns_it_and_how_it_closes(reason: Reason) -> None:
    text = (CASES / f"{reason.value}.md").read_text(encoding="utf-8")
    page = CATALOGUE[reason]

    title, _, rest = text.partition("\n")
    assert title == f"# {page.title[0].upper()}{page.title[1:]}"
    assert rest.strip().splitlines()[0] == (
        f"`{reason.value}` · {page.kind} · owner: {page.owner} · {page.severity}"
    )
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^#+ .*$", text, flags=re.MULTILINE)[1:])


@pytest.mark.parametrize("reason", list(Reason))
def test_page_and_catalogue_say_the_same_of_the_damage_and_the_end(reason: Reason) -> None:
    text = (CASES / f"{reason.value}.md").read_text(encoding="utf-8")
    *_, nobody, closes = re.split(r"^## .*$", text, flags=re.MULTILINE)

    assert in_one_line(nobody) == CATALOGUE[reason].damage.costs
    assert in_one_line(closes) == CATALOGUE[reason].closes_when


def in_one_line(text: str) -> str:
    return " ".join(re.sub(r"[*`]", "", text).split())


def test_no_page_is_about_a_reason_that_does_not_exist() -> None:
    assert sorted(path.stem for path in CASES.glob("*.md")) == sorted(reason.value for reason in Reason)


def test_every_answer_is_explained() -> None:
    assert set(OPTIONS) == set(Option)


def test_every_open_question_of_the_simulators_is_on_the_list() -> None:
    page = (DOCS / "platforms" / "unverified.md").read_text(encoding="utf-8")

    for switch in (*SWITCHES, *SHOPIFY_SWITCHES):
        assert f"### `{switch.name}`" in page
        assert switch.question in page


# -- commands ----------------------------------------------------------------------------------------------


def commands_in(page: Path, program: str) -> list[list[str]]:
    """Every call of `program` in a page, in blocks and in running text, as words."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"(?:^|`){re.escape(program)} ([^`\n]+?)(?:`|$)", text, re.MULTILINE)
    return [shlex.split(line) for line in found]


def test_the_readme_opens_with_two_commands_that_the_script_knows() -> None:
    block = re.search(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert block is not None
    assert block.group(1).split("\n")[:2] == ["./dev demo", "./dev test"]

    helped = subprocess.run([str(ROOT / "dev"), "help"], capture_output=True, text=True, check=True).stdout
    known = {line.split()[0] for line in helped.splitlines() if line.startswith("  ")}
    used = {words[0] for words in commands_in(ROOT / "README.md", "./dev")}
    assert used >= {"demo", "test"}
    assert used <= known


def command_line_pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def test_every_command_of_the_manual_is_in_the_reference_of_the_command_line() -> None:
    reference = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    known = re.findall(r"^### `interlock ([a-z -]+)`", reference, re.MULTILINE)
    unknown = []
    for page in command_line_pages():
        for words in commands_in(page, "interlock"):
            said = " ".join(word for word in words[:2] if re.fullmatch("[a-z-]+", word))
            if not any(said == name or said.split()[0] == name for name in known):
                unknown.append(f"{page.relative_to(ROOT)}: interlock {' '.join(words)}")

    assert known
    assert unknown == []


# -- files and names ---------------------------------------------------------------------------------------


def stations() -> list[tuple[str, str]]:
    """The (file, name) pairs of the travelling edit; the name is empty where the file alone is meant."""
    pairs = []
    for file, names in re.findall(
        r"`([a-z_/]+\.py)`((?: `[A-Za-z_.]+`)*)", TRAVELS.read_text(encoding="utf-8")
    ):
        listed = re.findall(r"`([A-Za-z_.]+)`", names)
        pairs += [(file, name) for name in listed] or [(file, "")]
    return pairs


@pytest.mark.parametrize(("file", "name"), stations())
def test_every_station_of_the_travelling_edit_exists(file: str, name: str) -> None:
    source = (SOURCES / file).read_text(encoding="utf-8")

    assert not name or defines(source, name)


def test_a_station_that_does_not_exist_would_be_noticed() -> None:
    assert len(stations()) > 20
    assert not defines("def here() -> None: ...", "there")
    assert not defines("class Here:\n    def one(self) -> None: ...", "Here.two")
    assert defines("class Here:\n    async def one(self) -> None: ...", "Here.one")


def test_the_files_named_in_the_guards_and_the_map_exist() -> None:
    for page in ("the-four-guards.md", "the-map.md"):
        text = (DOCS / "how-it-works" / page).read_text(encoding="utf-8")
        for name in re.findall(r"`([a-z_]+/(?:[a-z_]+\.py)?|[a-z_]+\.py)`", text):
            if name != "perform.py":
                assert (SOURCES / name).exists(), f"{page} names {name}"


def test_the_picture_of_the_readme_is_drawn_and_described() -> None:
    picture = ElementTree.parse(DOCS / "flow.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"

    assert "](docs/flow.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert picture.findtext(f"{name}title")
    assert picture.findtext(f"{name}desc")


def test_every_decision_is_in_the_list() -> None:
    listed = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")

    for path in (DOCS / "decisions").glob("[0-9]*.md"):
        assert f"({path.name})" in listed


# -- lists -------------------------------------------------------------------------------------------------

OWN_FILTERS = {
    "/orders": order_list_pages.OWN_FILTERS,
    "/acceptance": (),
    "/cases": case_list.OWN_FILTERS,
    "/refund-tasks": refund_tasks.OWN_FILTERS,
    "/holds": ("show",),
    "/skus": sku_health.OWN_FILTERS,
    "/mappings": (),
    "/alerts": alert_list.OWN_FILTERS,
    "/connections": connection_list.OWN_FILTERS,
    "/privacy": privacy_list.OWN_FILTERS,
    "/people": people_list.OWN_FILTERS,
    "/api-keys": api_key_list.OWN_FILTERS,
    "/audit-log": audit_list.OWN_FILTERS,
}


def listed() -> dict[str, set[str]]:
    """The filters that the page about lists names for each address."""
    text = (DOCS / "operations" / "lists.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `(/[a-z-]+)` \| (.*) \|$", text, re.MULTILINE)
    return {path: set(re.findall(r"`([a-z_]+)`", filters)) for path, filters in rows}


def test_the_page_about_lists_names_every_filter_of_every_list() -> None:
    shared = {"connection", "team"}
    hidden = {"buyer"}  # a digest that a search writes; nobody chooses it

    own = {path: filters - shared for path, filters in listed().items()}
    assert own == {path: set(filters) - hidden for path, filters in OWN_FILTERS.items()}


def test_the_page_about_lists_names_every_list_that_is_taken_away_and_who_filters_by_team() -> None:
    console = SOURCES / "console"
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(console.glob("*_pages.py")))
    written = re.findall(r'routes\.get\("(/[a-z-]+)\.csv"\)', sources)
    assert set(listed()) == {*written, api_key_pages.ALL_KEYS, privacy_pages.PLACE}

    by_team = {
        "/" + path.stem.replace("_", "-")
        for path in sorted((console / "templates").glob("*.html"))
        if "filters(asked, choices, person=person)" in path.read_text(encoding="utf-8")
    }
    assert {path for path, filters in listed().items() if "team" in filters} == by_team
