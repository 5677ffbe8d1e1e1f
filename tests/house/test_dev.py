"""The one script: it explains itself and refuses in words."""

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "dev"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("verb", ["demo", "test", "check", "simulate", "bench", "docs", "run", "revision"])
def test_help_names_every_verb(verb: str) -> None:
    done = dev("help")

    assert done.returncode == 0
    assert any(line.split()[:1] == [verb] for line in done.stdout.splitlines())


def test_the_help_of_the_demo_says_what_people_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    script = loaded(tmp_path)
    asked: list[list[str]] = []
    for step in ("ensure_environment", "ensure_node_modules"):
        monkeypatch.setattr(script, step, lambda **_: None)
    monkeypatch.setattr(script, "run", asked.append)
    script.main(["demo", "--help"])
    (command,) = asked
    python, *arguments = command

    shown = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout

    assert python == "python"
    assert "Usage: ./dev demo [OPTIONS]" in shown


def test_the_help_of_a_command_names_the_program() -> None:
    command = [sys.executable, "-m", "interlock.cli", "order", "show", "--help"]

    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "Usage: interlock order show " in shown


def test_an_unknown_verb_is_refused_by_name() -> None:
    done = dev("dmeo")

    assert done.returncode == 2
    assert "no verb 'dmeo'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_build_server_runs_the_check_of_everybody() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert script.rstrip().endswith("exec ./dev check </dev/null")


def test_what_the_build_server_leaves_is_no_part_of_the_project() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert 'export INTERLOCK_SCREENSHOTS="$artefacts/screenshots"' in script
    assert {"/artefacts/", "/screenshots/"} <= set((ROOT / ".gitignore").read_text(encoding="utf-8").split())


def loaded(installer: Path) -> Any:
    """The script as a module, with the folder of its installer elsewhere."""
    loader = SourceFileLoader("dev_script", str(ROOT / "dev"))
    spec = spec_from_loader("dev_script", loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    script.INSTALLER = installer  # type: ignore[attr-defined]
    return script


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser whose programs are in `bin`; run as root."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def apt_get(machine: Path, ends: str) -> None:
    """A package manager that notes what it is asked, and ends like this."""
    program = machine / "bin" / "apt-get"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{machine}/asked"\n{ends}\n', encoding="utf-8")
    program.chmod(0o755)


def asked(machine: Path) -> list[str]:
    file = machine / "asked"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def test_the_browser_of_the_tests_comes_from_the_systems_packages(machine: Path) -> None:
    browser = machine / "bin" / "chromium"
    apt_get(machine, f'[ "$1" = update ] || {{ echo "#!/bin/sh" > "{browser}"; /bin/chmod +x "{browser}"; }}')
    script = loaded(machine / "installer")

    script.install_browser()

    assert asked(machine) == ["update -qq", "install -y -qq chromium"]
    assert script.has_browser()


def test_where_there_is_none_the_tests_are_skipped_and_it_is_not_tried_each_time(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(machine, "exit 100")
    script = loaded(machine / "installer")

    script.install_browser()
    script.install_browser()

    assert asked(machine) == ["update -qq"]
    said = capsys.readouterr().err
    assert "SKIPPED" in said
    assert "no-chromium" in said


def test_whoever_is_not_root_is_asked_for_nothing(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    apt_get(machine, "exit 0")

    loaded(machine / "installer").install_browser()

    assert asked(machine) == []


def test_docs_takes_no_other_argument() -> None:
    done = dev("docs", "--fast")

    assert done.returncode == 2
    assert "--fast" in done.stderr


def test_the_site_is_ignored_and_fetches_nothing_from_elsewhere() -> None:
    assert "/site/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "font = false" in (ROOT / "zensical.toml").read_text(encoding="utf-8")
