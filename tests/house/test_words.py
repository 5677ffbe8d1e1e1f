"""Words and habits that hold in every file of the project."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "interlock"
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
TEXT = {".py", ".md", ".toml", ".graphql", ".html", ".css", ".js", ".json", ".mako", ".yml", ".yaml", ""}
FOLDERS = ("src", "tests", "tools", "docs", ".ci")

# Marks of whatever machine or process a file was written on; none belongs in the project. Written in two
# halves, so that this file does not hold them itself.
FOREIGN = re.compile(
    "|".join(
        [
            "/wor" + "k/(?:main|shared)",
            "/ro" + "ot/",
            "/tm" + "p/[a-z]+boot",
            "co-authored" + "-by",
            "as an a" + "i ",
            "language " + "model",
            "coordin" + "ator",
        ]
    ),
    re.IGNORECASE,
)

# Where the world's time and randomness may be read. `time` is also allowed where processes outside the event loop
# are waited for.
WORLDLY = {
    "secrets": {"interlock/clock.py"},
    "uuid": {"interlock/clock.py"},
    "time": {"interlock/clock.py", "interlock/storage/embedded.py"},
}


def project_files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.is_file()
                and path.suffix in TEXT
                and "__pycache__" not in path.parts
                and "vendor" not in path.parts
            ):
                yield path
    yield from (
        ROOT / name for name in ("dev", "README.md", "CONTRIBUTING.md", "pyproject.toml", ".gitignore")
    )


def python_files() -> list[Path]:
    return sorted(path for folder in ("src", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))


def service_modules() -> list[Path]:
    return [
        path for path in sorted(SOURCES.rglob("*.py")) if "simulator" not in path.relative_to(SOURCES).parts
    ]


def named(path: Path) -> str:
    return path.relative_to(ROOT / "src").as_posix()


def test_the_project_speaks_of_itself_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in project_files()
        if path.exists()
        for match in FOREIGN.finditer(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("mark", ["/wor" + "k/main/src", "Co-Authored" + "-By: someone"])
def test_a_foreign_mark_would_be_found(mark: str) -> None:
    assert FOREIGN.search(f"some text {mark} more text")


def test_no_module_has_an_empty_name() -> None:
    found = [path for path in python_files() if set(path.stem.split("_")) & EMPTY_NAMES]

    assert found == []


def test_every_module_opens_with_a_sentence() -> None:
    without = []
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        if "generated" in path.parts or not source.strip():
            continue
        docstring = ast.get_docstring(ast.parse(source)) or ""
        if not docstring.split("\n\n")[0].rstrip().endswith((".", ":", "?")):
            without.append(str(path.relative_to(ROOT)))

    assert without == []


def test_time_and_randomness_come_from_the_clock_port_alone() -> None:
    found = []
    for path in service_modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "random"
                and node.attr not in {"Random", "SystemRandom"}
            ):
                found.append(f"{named(path)}: random.{node.attr} has a state that no seed of ours decides")
            found += [
                f"{named(path)}: {name}"
                for name in names
                if named(path) not in WORLDLY.get(name, {named(path)})
            ]

    assert found == []


def test_no_statement_reads_the_databases_clock_except_the_one_that_measures_it() -> None:
    reads = re.compile(r"\bnow\(\)|current_timestamp|clock_timestamp|localtimestamp", re.IGNORECASE)
    statement = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE)\b")
    functions = {"now", "current_timestamp", "clock_timestamp", "localtimestamp"}
    found = []
    for path in service_modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if reads.search(node.value) and statement.search(node.value):
                    found.append(f"{named(path)}: {node.value}")
            elif (
                isinstance(node, ast.Attribute)
                and node.attr in functions
                and ast.unparse(node.value) == "func"
            ):
                found.append(f"{named(path)}: {ast.unparse(node)}")

    assert found == ["interlock/storage/database.py: SELECT clock_timestamp()"]


def test_every_module_that_declares_tables_is_loaded_by_tables() -> None:
    declaring = {
        "interlock." + path.relative_to(SOURCES).with_suffix("").as_posix().replace("/", ".")
        for path in service_modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Table"
        # The second argument tells a database table from one that is printed.
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Name)
        and node.args[1].id == "metadata"
    }
    loader = ast.parse((SOURCES / "tables.py").read_text(encoding="utf-8"))
    loaded = {alias.name for node in ast.walk(loader) if isinstance(node, ast.Import) for alias in node.names}

    assert loaded == declaring
