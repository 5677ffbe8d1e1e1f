"""The watchdog's own small file: what it needs when the service and its database are gone, and nothing about a person.

The service writes it every few seconds, whole or not at all; the watchdog reads it when nothing else answers.
"""

import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FORMAT = 1
MOST_DEADLINES = 200


class FileUnusable(Exception):
    """The watchdog's file cannot be used; the sentence says why and what to do, never what stands in it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The watchdog's file {path} {why}. A running service writes it every few seconds; check that both use the "
            "same folder, and that the file belongs to the user who runs the watchdog."
        )


@dataclass(frozen=True, slots=True)
class OrderDeadline:
    """An order that waits for acceptance: its number, the connection's name, when its time began and ends."""

    order: str
    connection: str
    starts_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class LastKnown:
    """What the service last said of itself. `channels` are the addresses of channels that take pages: credentials."""

    written_at: datetime
    deadlines: tuple[OrderDeadline, ...]
    channels: tuple[str, ...]


def write(path: Path, known: LastKnown) -> None:
    """Write the file beside its place and move it there, readable for its owner alone."""
    document = {
        "format": FORMAT,
        "written_at": known.written_at.isoformat(),
        "deadlines": [
            [one.order, one.connection, one.starts_at.isoformat(), one.due_at.isoformat()]
            for one in known.deadlines[:MOST_DEADLINES]
        ],
        "channels": list(known.channels),
    }
    # mkstemp makes the file with mode 0600, whatever the umask says
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def read(path: Path) -> LastKnown:
    """What stands in the file. Raises FileUnusable when it is missing, open to others, or not what we write."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise FileUnusable(
                    path, f"is open to others (mode {stat.S_IMODE(mode):04o}), and it holds credentials"
                )
            document = json.load(file)
    except FileNotFoundError:
        raise FileUnusable(path, "does not exist") from None
    except (OSError, ValueError):
        raise FileUnusable(path, "cannot be read") from None
    try:
        return _known(document)
    except (KeyError, TypeError, ValueError):
        raise FileUnusable(path, "is not of a kind this release understands") from None


def _known(document: Mapping[str, Any]) -> LastKnown:
    if document["format"] != FORMAT:
        raise ValueError
    deadlines: Sequence[Any] = document["deadlines"]
    return LastKnown(
        datetime.fromisoformat(document["written_at"]),
        tuple(
            OrderDeadline(
                str(order), str(connection), datetime.fromisoformat(starts), datetime.fromisoformat(due)
            )
            for order, connection, starts, due in deadlines
        ),
        tuple(str(url) for url in document["channels"]),
    )
