"""Writes the next database revision from what the tables in the code say and the revisions do not yet."""

import subprocess
import sys
from pathlib import Path

from interlock.storage.database import Database
from interlock.storage.migrations import versions, write_revision
from interlock.tables import metadata
from tests.databases import ThrowawayServer

USAGE = """usage: ./dev revision "what the revision does"
       ./dev revision --again "what the revision does"     (replaces the newest one, if it was never released)"""


def main(arguments: list[str]) -> int:
    again = arguments[:1] == ["--again"]
    message = arguments[1:] if again else arguments
    if len(message) != 1 or not message[0].strip() or message[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    if again:
        newest = sorted(Path(versions.__file__).parent.glob("r[0-9]*.py"))[-1]
        print(f"Replacing {newest.name}")
        newest.unlink()
    with ThrowawayServer() as server:
        database = Database(server.new_database())
        path = write_revision(database, message[0].rstrip(".") + ".", metadata)
        database.dispose()
    # Alembic marks what it wrote with comments that say nothing once somebody has read it.
    lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    Path(path).write_text("".join(line for line in lines if "# ###" not in line), encoding="utf-8")
    subprocess.run(["ruff", "check", "--quiet", "--fix", path], check=True)
    subprocess.run(["ruff", "format", "--quiet", path], check=True)
    print(f"Written: {path}. Read it before you keep it: renames look like a drop and an addition.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
