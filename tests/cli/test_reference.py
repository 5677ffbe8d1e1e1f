"""Every command has help, and its own place in the reference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from interlock.cli import app
from interlock.cli.telling import Exit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"


def commands(found: Any, name: str) -> Iterator[tuple[str, Any]]:
    if hasattr(found, "commands"):
        for part in sorted(found.commands):
            yield from commands(found.commands[part], f"{name} {part}")
    else:
        yield name, found


ALL = dict(commands(typer.main.get_command(app), "interlock"))


def test_the_commands_are_those_that_were_promised() -> None:
    assert {name.removeprefix("interlock ") for name in ALL} == {
        "connect",
        *(
            f"order {verb}"
            for verb in (
                "list",
                "show",
                "explain",
                "preview",
                "edit",
                "link",
                "unlink",
                "undo-link",
                "create",
                "replay",
            )
        ),
        *(
            f"cases {verb}"
            for verb in (
                "list",
                "show",
                "answer",
                "catalogue",
                "assign",
                "begin",
                "snooze",
                "comment",
                "causes",
                "replay",
                "progress",
            )
        ),
        *(
            f"{kind} {verb}"
            for kind in ("carriers", "skus")
            for verb in ("list", "map", "unmap", "import", "rollback")
        ),
        *(f"carriers {verb}" for verb in ("suggest", "export")),
        *(
            f"stock {verb}"
            for verb in ("show", "explain", "publish", "locations", "buffer", "buffers", "zero")
        ),
        *(f"skus {verb}" for verb in ("suggest", "compare", "bundle", "export")),
        *(f"reasons {verb}" for verb in ("list", "import", "export", "rollback")),
        *(f"methods {verb}" for verb in ("list", "map", "unmap", "import", "export", "rollback")),
        *(f"api-key {verb}" for verb in ("create", "list", "revoke")),
        *(f"alerts {verb}" for verb in ("list", "test", "ack")),
        *(f"alerts {kind} {verb}" for kind in ("channels", "routes") for verb in ("add", "remove")),
        *(f"people {verb}" for verb in ("list", "add", "link", "roles", "deactivate", "reactivate", "reset")),
        *(f"audit-log {verb}" for verb in ("list", "verify")),
        "edits table",
        "tasks list",
        "label check",
        "label override",
        "openapi",
        "health",
        *(f"db {verb}" for verb in ("upgrade", "check", "new-key", "rotate-key", "stop")),
        *(f"pause {verb}" for verb in ("list", "start", "end")),
        *(f"privacy {verb}" for verb in ("list", "show", "done")),
        *(f"quarantine {verb}" for verb in ("show", "enter", "leave")),
        *(f"simulate {platform}" for platform in ("mirakl", "shopify")),
        "serve",
        "worker",
        "watchdog",
        "demo",
    }


@pytest.mark.parametrize("name", ALL)
def test_a_command_says_what_it_does_and_so_do_its_options(name: str) -> None:
    command = ALL[name]

    assert command.help
    assert all(getattr(option, "help", None) for option in command.params)


@pytest.mark.parametrize("name", ALL)
def test_a_command_and_its_options_are_in_the_reference(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert f"### `{name}`" in text
    section = text.split(f"### `{name}`")[1].split("\n##")[0]
    for option in ALL[name].params:
        for word in option.opts:
            if word.startswith("--") and word not in ("--json", "--who"):
                assert f"`{word}" in section, word


def test_every_exit_code_is_in_the_reference() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert all(f"| {int(code)} |" in text for code in Exit)
