"""A headless day tells every story, keeps every promise, and says so in its report."""

import json
from pathlib import Path

import pytest

from interlock.demo import main
from interlock.demo.command import SeedsUnreadable, seeds_of
from interlock.demo.day import STORIES
from interlock.demo.once import Result
from interlock.demo.promises import ACCEPTANCE, LABELS, MONEY, PARCELS, STOCK, Promise


@pytest.mark.timeout(600)
def test_a_day_keeps_every_promise_and_writes_down_what_it_saw(tmp_path: Path) -> None:
    report = tmp_path / "verdict" / "demo.json"

    code = main(once=True, json_file=report, seeds=range(3, 4))

    said = json.loads(report.read_text(encoding="utf-8"))
    assert code == 0, said
    assert [promise["name"] for promise in said["promises"]] == [LABELS, ACCEPTANCE, MONEY, PARCELS, STOCK]
    for promise in said["promises"]:
        assert promise["checked"] == promise["held"] + promise["bounded"] + promise["broken"] > 0
        assert promise["broken"] == 0
    assert said["promises"][0]["bounded"] >= 1
    assert any(line.startswith("bounded") for line in said["promises"][0]["evidence"])
    assert said["not_built"] == []
    assert said["underneath"]["checked"] > 1000
    assert said["stories_missing"] == []
    assert said["seeds"] == [3]


def happened(**promises: Promise) -> Result:
    result = Result(seeds=[1], promises={p.name: p for p in promises.values()})
    result.stories.update(STORIES)
    return result


def test_a_broken_promise_fails_the_days() -> None:
    assert happened(a=Promise("a", held=5, bounded=1)).passed
    assert not happened(a=Promise("a", held=5, bounded=1, broken=1)).passed


def test_days_without_a_bounded_case_prove_too_little() -> None:
    assert not happened(a=Promise("a", held=5)).passed


def test_days_on_which_a_story_never_happened_prove_too_little() -> None:
    result = happened(a=Promise("a", held=5, bounded=1))
    result.stories["portal refund"] = 0

    assert not result.passed
    assert result.missing == ["portal refund"]


@pytest.mark.parametrize("given", ["", "3", "3:3", "4:2", "a:b", "1:2:3"])
def test_seeds_that_cannot_be_read_are_refused_by_name(given: str) -> None:
    with pytest.raises(SeedsUnreadable, match="names no seeds"):
        seeds_of(given)


def test_options_that_do_not_go_together_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(json_file=tmp_path / "x.json") == 2
    assert main(speed=0) == 2
    said = capsys.readouterr().err
    assert "--once" in said
    assert "speed 0" in said
