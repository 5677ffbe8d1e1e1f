"""Which way imports point: the contracts hold, and they would notice a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; sys.path.insert(0, 'src'); from importlinter import cli; cli.lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources, to be broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_import_contract_holds() -> None:
    done = lint_imports(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("orders/breach.py", "import interlock.tables", "each layer imports only from the layers below it"),
        ("storage/breach.py", "import interlock.orders", "each layer imports only from the layers below it"),
        ("unheard_of.py", "import json", "each layer imports only from the layers below it"),
        ("simulator/breach.py", "import interlock.clock", "the simulator shares no code with the service"),
        (
            "orders/breach.py",
            "import interlock.simulator",
            "only the command line and the rehearsal start the simulator",
        ),
        (
            "console/breach.py",
            "import interlock.mirakl.client",
            "only the rooms of the platforms and the wiring reach their clients",
        ),
        (
            "engine/breach.py",
            "from interlock.shopify.client import ShopifyClient",
            "only the rooms of the platforms and the wiring reach their clients",
        ),
        (
            "mirakl/breach.py",
            "from interlock.mirakl.client import MiraklClient",
            "only the rooms of the platforms and the wiring reach their clients",
        ),
        (
            "shopify/breach.py",
            "from interlock.shopify.client import ShopifyClient",
            "only the rooms of the platforms and the wiring reach their clients",
        ),
        (
            "cli/breach.py",
            "from interlock.shopify import perform",
            "only the wiring and what sets up a shop reach the pages that write",
        ),
        (
            "mirakl/breach.py",
            "import interlock.mirakl.perform",
            "only the wiring and what sets up a shop reach the pages that write",
        ),
    ],
)
def test_a_breach_is_noticed(copy: Path, module: str, line: str, contract: str) -> None:
    (copy / "src" / "interlock" / module).write_text(f'"""A breach."""\n{line}\n')

    done = lint_imports(copy)

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout


@pytest.mark.parametrize(
    "forbidden", ["import httpx2", "import sqlalchemy", "import time", "import interlock.clock"]
)
def test_a_rule_that_reaches_the_world_through_another_module_is_noticed(copy: Path, forbidden: str) -> None:
    room = copy / "src" / "interlock" / "edits"
    room.mkdir(exist_ok=True)
    (room / "__init__.py").touch()
    (room / "decide.py").write_text('"""A rule."""\nimport interlock.edits.near\n')
    (room / "near.py").write_text('"""Near the rule."""\nimport interlock.edits.far\n')
    (room / "far.py").write_text(f'"""Far from the rule."""\n{forbidden}\n')

    done = lint_imports(copy)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "rules are pure: neither they nor what they import can reach the world BROKEN" in done.stdout
