"""Which figures go into the next file, and when it may leave: pure, like every rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

FASTEST = timedelta(seconds=61)
"""STO01 may be called once a minute at most (Mirakl reference, section 2)."""
USUAL = timedelta(minutes=5)
"""How often Mirakl recommends a stock file."""
AFTER_REFUSAL = timedelta(minutes=5)
"""How long nothing is sent after a file that was refused as a whole."""
MOST_ROWS = 50_000
"""Lines of one file."""
REFUSED_AGAIN = timedelta(hours=1)
"""A line the marketplace refused goes again with another figure, or after so long."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One offer's figures. `target` is None where nothing may be said; `believed` is what the marketplace shows as far as
    it is known, None where it is not. `refused_at` is when it refused a line of this offer with the figure `refused`. `shown`
    is what it showed when it was read last; a walk over its orders that began by `walk_after` may have missed the sale by
    which it showed fewer than it was told, None where it did not."""

    sku: str
    target: int | None
    believed: int | None
    refused: int | None = None
    refused_at: datetime | None = None
    shown: int | None = None
    walk_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class NextFile:
    """The lines of the next file, the urgent ones first, and when it may leave; no lines where nothing has changed."""

    rows: tuple[tuple[str, int], ...]
    at: datetime | None


def next_file(
    figures: Iterable[Figure],
    last_sent_at: datetime | None,
    now: datetime,
    refused_at: datetime | None = None,
    walked_at: datetime | None = None,
) -> NextFile:
    """Every figure that is not what the marketplace shows, in the fewest files its ceilings want.

    A figure that falls must not wait: the next file leaves as soon as the ceiling allows, with everything else that has
    changed. Figures that only rise wait for the pace Mirakl recommends, so that many changes share one file. Offers that
    go to zero come first, then those that fall, in case one file cannot take all. `refused_at` is when the last file was
    refused as a whole, if it was, `walked_at` when the last walk over all changes of the marketplace's orders began that
    was read whole.

    An offer that the marketplace showed lower than it was told may have been sold: it does not rise before a walk has looked
    for the order.
    """
    zeros: list[tuple[str, int]] = []
    falling: list[tuple[str, int]] = []
    rising: list[tuple[str, int]] = []
    for figure in figures:
        target, believed = figure.target, figure.believed
        if (
            target is None
            or target == believed
            or _was_refused(figure, now)
            or may_be_sold(figure, walked_at)
        ):
            continue
        if target == 0:
            zeros.append((figure.sku, 0))
        elif believed is None or target < believed:
            falling.append((figure.sku, target))
        else:
            rising.append((figure.sku, target))
    rows = tuple((zeros + falling + rising)[:MOST_ROWS])
    if not rows:
        return NextFile((), None)
    pace = FASTEST if zeros or falling else USUAL
    paced = now if last_sent_at is None else last_sent_at + pace
    rested = now if refused_at is None else refused_at + AFTER_REFUSAL
    return NextFile(rows, max(now, paced, rested))


def may_be_sold(figure: Figure, walked_at: datetime | None) -> bool:
    """Whether the figure would put units back on offer whose order may only not have been read yet: the marketplace shows
    fewer than it was told, and no walk over its orders has begun since."""
    if figure.walk_after is None or (walked_at is not None and walked_at > figure.walk_after):
        return False
    shown = figure.shown if figure.believed is None else figure.believed
    return figure.target is not None and shown is not None and figure.target > shown


def _was_refused(figure: Figure, now: datetime) -> bool:
    return (
        figure.refused_at is not None
        and figure.refused == figure.target
        and now < figure.refused_at + REFUSED_AGAIN
    )
