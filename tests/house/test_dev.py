"""The one script: it explains itself and refuses in words."""

import subprocess
from pathlib import Path

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


def test_an_unknown_verb_is_refused_by_name() -> None:
    done = dev("dmeo")

    assert done.returncode == 2
    assert "no verb 'dmeo'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_build_server_runs_the_check_of_everybody() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert script.rstrip().endswith("exec ./dev check </dev/null")


def test_the_site_takes_no_other_argument() -> None:
    done = dev("docs", "--site", "--fast")

    assert done.returncode == 2
    assert "--fast" in done.stderr


def test_the_site_is_ignored_and_fetches_nothing_from_elsewhere() -> None:
    assert "/site/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "font = false" in (ROOT / "zensical.toml").read_text(encoding="utf-8")
