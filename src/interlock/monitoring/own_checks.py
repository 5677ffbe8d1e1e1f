"""What the service checks about itself: its audit log, the backup you make, its log lines, and its own public address."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Connection

from interlock.access import audit_log
from interlock.clock import Clock
from interlock.engine.store import take_duty
from interlock.engine.troubles import note_trouble, trouble_is_over
from interlock.logs import canaries_seen
from interlock.storage.database import Store

AUDIT_EVERY = timedelta(hours=6)
BACKUP_MAY_BE_OLD = timedelta(hours=26)
ANSWERS_WITHIN_SECONDS = 10.0


@dataclass
class OwnChecks:
    """The checks of one worker. Each notes a trouble, which the watching of connections makes a case of, and takes it back
    when the check goes well. `backup_file` is the file that a backup writes when it has ended well; None where nobody
    named one."""

    store: Store
    clock: Clock
    worker: str
    http_for: Callable[[str], httpx2.AsyncClient]
    backup_file: Path | None = None
    canaries: int = field(default_factory=canaries_seen)

    async def look(self) -> None:
        """Look at the log lines, the backup and, four times a day among all workers, at the audit log."""
        await self._log_lines()
        if self.backup_file is not None:
            await self._backup(self.backup_file)
        await self._audit_log()

    async def _log_lines(self) -> None:
        seen, now = canaries_seen(), self.clock.now()
        if seen > self.canaries:
            part = f"log {self.worker}"
            await self.store.tx(lambda c: note_trouble(c, part, "canary_in_log", now))
            self.canaries = seen

    async def _backup(self, file: Path) -> None:
        ended, now = await asyncio.to_thread(_written_at, file), self.clock.now()

        def keep(c: Connection) -> None:
            if ended is None:
                note_trouble(c, "backup", "backup_old", now, "The file that the backup writes is not there.")
            elif now - ended > BACKUP_MAY_BE_OLD:
                hours = int((now - ended) / timedelta(hours=1))
                note_trouble(c, "backup", "backup_old", now, f"The last backup ended {hours} hours ago.")
            else:
                trouble_is_over(c, "backup", "backup_old")

        await self.store.tx(keep)

    async def _audit_log(self) -> None:
        now = self.clock.now()

        def walk(c: Connection) -> None:
            if not take_duty(c, "audit log", now, AUDIT_EVERY):
                return
            broken = audit_log.watch(c, now)
            if broken:
                note_trouble(c, "audit log", "audit_log_broken", now, broken)
            else:
                trouble_is_over(c, "audit log", "audit_log_broken")

        await self.store.tx(walk)

    async def ask_ingress(self, shop: str, address: str) -> None:
        """Call the address the shop's webhooks go to. A redirect is a trouble; any other answer, even a refusal, is what
        Interlock or nobody gives. That the address cannot be reached from here says nothing about the shop."""
        parts = urlsplit(address)
        http = self.http_for(f"{parts.scheme}://{parts.netloc}")
        try:
            answered = await http.get(address, timeout=ANSWERS_WITHIN_SECONDS, follow_redirects=False)
        except httpx2.HTTPError:
            return
        now, part = self.clock.now(), f"ingress {shop}"

        def keep(c: Connection) -> None:
            if 300 <= answered.status_code < 400:
                note_trouble(c, part, "ingress_redirects", now, str(answered.status_code))
            else:
                trouble_is_over(c, part, "ingress_redirects")

        await self.store.tx(keep)


def _written_at(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None
