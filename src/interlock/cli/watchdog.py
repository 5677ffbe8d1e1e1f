"""`interlock watchdog`: a process outside the service that pages when the service or its database are gone."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx2
import typer

from interlock.cli.installation import settings_or_end
from interlock.cli.telling import AsJson, Exit, end, print_json, say
from interlock.clock import SystemClock
from interlock.monitoring.channels import ChannelRefused
from interlock.monitoring.deadlines import FileUnusable, read
from interlock.monitoring.duty import WATCHDOG_FILE
from interlock.monitoring.sending import check_url
from interlock.monitoring.watchdog import Watchdog


def watchdog(
    url: Annotated[
        str,
        typer.Option(
            "--url", help="Where the service says that it is well; unset: /healthz on this machine."
        ),
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option("--file", help="The file the service writes; unset: watchdog.json in the data folder."),
    ] = None,
    without_file: Annotated[
        bool,
        typer.Option(
            "--without-file",
            help="There is no such file here, as on another machine: no deadlines are watched. Needs --channels.",
        ),
    ] = False,
    channels: Annotated[
        str,
        typer.Option(
            "--channels",
            envvar="WATCHDOG_CHANNELS",
            help="Addresses to page, as Apprise writes them, with blanks between; unset: the channels in the file.",
        ),
    ] = "",
    after: Annotated[
        float, typer.Option("--after", min=1, help="Page when it has not answered for so many seconds.")
    ] = 120.0,
    every: Annotated[float, typer.Option("--every", min=0.2, help="Seconds between two looks.")] = 10.0,
    once: Annotated[
        bool, typer.Option("--once", help="Look once and end: 0 if the service answers, else 1.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Watch the service from outside, without its database, and page when it is gone. Runs until stopped."""
    settings = settings_or_end()
    own = tuple(channels.split())
    for one in own:
        try:
            check_url("paging", one)
        except ChannelRefused as refused:
            end(Exit.REFUSED, str(refused))
    if not url and settings.tls_certificate is not None:
        end(
            Exit.USAGE,
            "The service speaks TLS (INTERLOCK_TLS_CERTIFICATE), so the name in its certificate has to be called: say it with "
            "--url https://NAME/healthz. Nothing was watched.",
        )
    health = url or f"http://{settings.http_host}:{settings.http_port}/healthz"
    found = None if without_file else file or settings.data_folder / WATCHDOG_FILE
    if not own and not once:
        _refuse_without_channels(found)
    well = asyncio.run(_watch(health, found, own, timedelta(seconds=after), every, once))
    if once:
        if as_json:
            print_json({"answers": well})
        if not well:
            raise typer.Exit(int(Exit.NOT_WELL))


def _refuse_without_channels(file: Path | None) -> None:
    """End with a sentence when nobody could be told: a watchdog that cannot page looks like one that has nothing to say."""
    why = "Without its file the watchdog knows no channel."
    if file is not None:
        try:
            if read(file).channels:
                return
            why = f"The watchdog's file {file} names no channel that takes pages."
        except FileUnusable as wrong:
            why = str(wrong)
    end(
        Exit.REFUSED,
        f"{why} Nobody could be told, so the watchdog does not start. Start the service first, or name addresses with "
        "--channels or WATCHDOG_CHANNELS.",
    )


async def _watch(
    url: str, file: Path | None, channels: tuple[str, ...], after: timedelta, every: float, once: bool
) -> bool:
    stop = asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, stop.set)
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        dog = Watchdog(url, file, SystemClock(), client, channels, every, after, say)
        if once:
            await dog.look()
        else:
            say(f"Watching {url}")
            await dog.run(stop)
        return dog.gone_since is None
