"""What a demo stands on: a PostgreSQL of its own with every table, empty, thrown away afterwards unless a folder was given."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from sqlalchemy import text

from interlock.storage.append_only import without_guards
from interlock.storage.database import Database
from interlock.storage.embedded import EmbeddedServer
from interlock.storage.migrations import upgrade
from interlock.tables import metadata

CONNECTIONS = 8


class Ground:
    """A context manager. `folder` keeps the database for a look afterwards; each demo starts it empty all the same,
    because the simulated platforms it speaks of exist only while the demo runs."""

    def __init__(self, folder: Path | None) -> None:
        self._kept = folder

    def __enter__(self) -> "Ground":
        self._folder = self._kept or Path(tempfile.mkdtemp(prefix="interlock-demo-"))
        if self._kept is None:
            # As root the server runs as another user, who must be able to pass through.
            self._folder.chmod(0o711)
        # Without a folder nothing has to survive a power cut.
        self._server = EmbeddedServer(self._folder, test_mode=self._kept is None)
        try:
            self.database = Database(
                self._server.ensure_started(), pool_size=CONNECTIONS, check_connections=False
            )
            upgrade(self.database)
            self.clear()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.dispose()
        self._leave()

    def clear(self) -> None:
        """Delete every row of ours."""
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with self.database.begin() as c:
            without_guards(c)
            c.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))

    def _leave(self) -> None:
        self._server.stop("fast" if self._kept is not None else "immediate")
        if self._kept is None:
            shutil.rmtree(self._server.socket_folder, ignore_errors=True)
            shutil.rmtree(self._folder, ignore_errors=True)
