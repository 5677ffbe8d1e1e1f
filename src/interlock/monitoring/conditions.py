"""When a whole connection needs a person: observed facts in, wanted cases out. Pure, no clock and no database.

Every condition is judged from dated facts, opens by itself and closes by itself; what is not known opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from interlock.orders.reasons import Reason

INTERVALS_ALLOWED = 3
SHORTEST_ALLOWED = timedelta(minutes=2)
SWEEP_EVERY = timedelta(minutes=5)
"""How often a shop is swept for changed orders."""
STOCK_READ_EVERY = timedelta(minutes=5)
"""How often a shop's stock is swept where it is published."""
STOCK_DESK_SILENT = timedelta(minutes=10)
"""The stock desk of a connection works every few seconds; what it may be silent is room for a restart."""
BEATS_ALLOWED = timedelta(minutes=2)
BEATING = ("due sweep", "acceptance watchdog")
"""Duties that some worker must always do, by the name they beat under."""
LONG_WAIT = timedelta(minutes=1)
UNCLEAR_FOR = timedelta(minutes=10)
CRASHES = 3
CLOCK_FORGIVEN_AFTER = timedelta(minutes=1)
BACKUP_FORGIVEN_AFTER = timedelta(minutes=15)
"""Workers look at the backup's file every five minutes: one that was found too old for longer is not looked at any more."""
CANARY_STANDS = timedelta(hours=24)
UNHEARD_FOR = timedelta(minutes=10)
FAILED_BEATS = 3
FAILED_BEATS_STAND = timedelta(minutes=5)
"""Heartbeats leave every minute: whoever stopped for a while has first to fail before anybody is told."""
CONDITIONS = (
    Reason.CREDENTIAL_REFUSED,
    Reason.SCOPE_MISSING,
    Reason.SUBSCRIPTION_MISSING,
    Reason.POLLER_STALE,
    Reason.BUDGET_EXHAUSTED,
    Reason.OPERATION_UNCLEAR,
    Reason.POISON_ORDER,
    Reason.CLOCK_SKEW,
    Reason.AUDIT_LOG_BROKEN,
    Reason.BACKUP_OLD,
    Reason.CANARY_IN_LOG,
    Reason.HEARTBEAT_MISSING,
    Reason.INGRESS_REDIRECTS,
)
"""The reasons this rule decides about; cases of other reasons are left alone."""


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A live connection: how it reads its two accounts. `since` is when it was made: nothing is late before that.
    `stock_since` is when its settings were last changed where it publishes the shop's stock, None where it does not."""

    id: int
    name: str
    mirakl_account: str
    shopify_account: str
    shop: str
    poll_every: timedelta
    since: datetime
    stock_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class TroubleFact:
    """A trouble as the engine noted it: part, code, when last, how often, and codes or names in `detail`."""

    part: str
    code: str
    last_at: datetime
    times: int
    detail: str


@dataclass(frozen=True, slots=True)
class CrashedOrder:
    """An order whose looks ended in an error; `stuck` while none has ended well since."""

    connection_id: int
    order: str
    times: int
    error: str
    stuck: bool


@dataclass(frozen=True, slots=True)
class UnclearFact:
    """Operations of a connection in state UNKNOWN, counted, with the moment the oldest became so."""

    connection_id: int
    number: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rule looks at. `good_reads` is when each account was last read well, `beats` when each duty was last
    heard, `waits` until when each (account, operation) has to wait, `outside` each address that waits for our heartbeat:
    the name of its channel and since when there is one, `stock_reads` up to when each shop's stock is known.
    `writing_since` is when the last quarantine ended; while one is open (`quarantined`) nothing is published."""

    now: datetime
    connections: tuple[ConnectionFacts, ...]
    good_reads: dict[str, datetime | None]
    beats: dict[str, datetime]
    waits: tuple[tuple[str, str, datetime], ...] = ()
    troubles: tuple[TroubleFact, ...] = ()
    crashed: tuple[CrashedOrder, ...] = ()
    unclear: tuple[UnclearFact, ...] = ()
    outside: tuple[tuple[str, datetime], ...] = ()
    stock_reads: Mapping[str, datetime | None] = field(default_factory=dict)
    quarantined: bool = False
    writing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A case of a connection that must be open now. Its identity is (connection, reason, subject)."""

    connection_id: int
    reason: Reason
    subject: str
    sentence: str


def conditions(facts: Facts) -> tuple[Wanted, ...]:
    """The cases of connections that must be open now; all others of CONDITIONS are over."""
    wanted: list[Wanted] = []
    for connection in facts.connections:
        wanted.extend(_refusals(facts, connection))
        wanted.extend(_stale(facts, connection))
        wanted.extend(_stock(facts, connection))
        wanted.extend(_waits(facts, connection))
    wanted.extend(_unclear(facts))
    wanted.extend(_poison(facts))
    wanted.extend(_of_the_service(facts))
    return tuple(wanted)


def _sweep_of(connection: ConnectionFacts) -> str:
    return f"sweep {connection.shopify_account}"


def _refusals(facts: Facts, connection: ConnectionFacts) -> list[Wanted]:
    sides = (
        (connection.mirakl_account, "marketplace", "the marketplace", "the seller portal"),
        (_sweep_of(connection), "shop", "the shop", "the app's page in the shop"),
    )
    found: list[Wanted] = []
    for part, subject, side, where in sides:
        for trouble in facts.troubles:
            if trouble.part != part or _read_since(facts, part, trouble.last_at):
                continue
            if trouble.code == "credential_refused":
                said = (
                    f"{connection.name}: {side} does not accept the key of this connection any more, so nothing is read "
                    f"or written there. Make a new one in {where} and give it to the connection; reading goes on by "
                    "itself."
                )
                found.append(Wanted(connection.id, Reason.CREDENTIAL_REFUSED, subject, said))
            elif trouble.code == "scope_missing":
                said = (
                    f"{connection.name}: {side} says that the key may not do what was asked. Give it the permission in "
                    f"{where}; calls that need it are refused until then."
                )
                found.append(Wanted(connection.id, Reason.SCOPE_MISSING, subject, said))
    for trouble in facts.troubles:
        if trouble.part == f"ingress {connection.shop}" and trouble.code == "ingress_redirects":
            said = (
                f"{connection.name}: our own public address answers a call like the shop's with a redirect "
                f"({trouble.detail}). The shop follows none, so its webhooks are lost. Correct the proxy in front; it is "
                "looked at again every ten minutes."
            )
            found.append(Wanted(connection.id, Reason.INGRESS_REDIRECTS, "ingress", said))
        if trouble.part == f"scopes {connection.shop}" and trouble.code == "scope_missing":
            said = (
                f"{connection.name}: the app lacks scopes in the shop: {trouble.detail}. Add them to the app and have "
                "them accepted; calls that need them are refused until then."
            )
            found.append(Wanted(connection.id, Reason.SCOPE_MISSING, "scopes", said))
        if trouble.part == f"subscriptions {connection.shop}" and trouble.code == "subscription_missing":
            stock = ""
            if "INVENTORY_LEVELS_DISCONNECT" in trouble.detail.split():
                stock = "Units that a location does not stock any more may be offered for up to a day. "
            said = (
                f"{connection.name}: the shop refused to tell us of {trouble.detail}. Edits are found by the sweep, up "
                f"to five minutes late. {stock}Check the public address and the app's scopes; it is tried again every "
                "ten minutes."
            )
            found.append(Wanted(connection.id, Reason.SUBSCRIPTION_MISSING, "subscriptions", said))
    return found


def _read_since(facts: Facts, part: str, moment: datetime) -> bool:
    read = facts.good_reads.get(part)
    return read is not None and read > moment


def _stale(facts: Facts, connection: ConnectionFacts) -> list[Wanted]:
    sides = (
        (
            connection.mirakl_account,
            "marketplace",
            "the marketplace",
            connection.poll_every,
            "New orders are not seen",
        ),
        (
            _sweep_of(connection),
            "shop",
            "the shop",
            SWEEP_EVERY,
            "Edits whose webhook was lost are not found",
        ),
    )
    found: list[Wanted] = []
    for part, subject, side, every, so in sides:
        last = facts.good_reads.get(part) or connection.since
        if facts.now - max(last, connection.since) > max(every * INTERVALS_ALLOWED, SHORTEST_ALLOWED):
            said = (
                f"{connection.name}: {side} was not read well for more than {INTERVALS_ALLOWED} intervals. {so} "
                "meanwhile. Look at the page Health for the silent part and at the platform's own status; reading goes "
                "on by itself."
            )
            found.append(Wanted(connection.id, Reason.POLLER_STALE, subject, said))
    return found


def _stock(facts: Facts, connection: ConnectionFacts) -> list[Wanted]:
    """Stock that is published and was not read, or not computed and told, for too long."""
    if connection.stock_since is None:
        return []
    found: list[Wanted] = []
    read = facts.stock_reads.get(connection.shop)
    allowed = STOCK_READ_EVERY * INTERVALS_ALLOWED
    if facts.now - max(read or connection.stock_since, connection.stock_since) > allowed:
        last = (
            "was never read yet"
            if read is None
            else f"is known up to {read.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )
        said = (
            f"{connection.name}: the shop's stock {last}, though it is to be read every "
            f"{STOCK_READ_EVERY // timedelta(minutes=1)} minutes, and what changed within seconds. The offers concerned may fall and not rise: the "
            "lower figure is published. Look at the page Health for the silent part and at the platform's own status; "
            "reading goes on by itself."
        )
        found.append(Wanted(connection.id, Reason.POLLER_STALE, "stock", said))
    heard = facts.beats.get(f"stock desk {connection.name}")
    if heard is not None and not facts.quarantined:
        last_at = max(heard, connection.stock_since, facts.writing_since or heard)
        if facts.now - last_at > STOCK_DESK_SILENT:
            said = (
                f"{connection.name}: what its offers may show was not computed and published since "
                f"{heard.astimezone(UTC):%Y-%m-%d %H:%M} UTC. They stay as they are, whatever is sold. Is a worker running? "
                "Start one with `interlock worker`, and look at its log."
            )
            found.append(Wanted(connection.id, Reason.POLLER_STALE, "stock desk", said))
    return found


def _waits(facts: Facts, connection: ConnectionFacts) -> list[Wanted]:
    found: list[Wanted] = []
    for account, operation, until in facts.waits:
        if (
            account in (connection.mirakl_account, connection.shopify_account)
            and until - facts.now > LONG_WAIT
        ):
            said = (
                f"{connection.name}: calls of {operation} have to wait, because the platform asked for it. They go on by "
                "themselves. If it comes back, look for another program that uses the same key."
            )
            found.append(Wanted(connection.id, Reason.BUDGET_EXHAUSTED, operation, said))
    return found


def _unclear(facts: Facts) -> list[Wanted]:
    names = {connection.id: connection.name for connection in facts.connections}
    return [
        Wanted(
            unclear.connection_id,
            Reason.OPERATION_UNCLEAR,
            "operations",
            f"{names[unclear.connection_id]}: calls left whose answer never came, and the platform could not be read back "
            "for more than ten minutes. Nothing of theirs is sent again until it is known whether they happened. Look at "
            "the platform's status, and at orders that wait for acceptance in the portal.",
        )
        for unclear in facts.unclear
        if unclear.connection_id in names and facts.now - unclear.oldest_at > UNCLEAR_FOR
    ]


def _poison(facts: Facts) -> list[Wanted]:
    return [
        Wanted(
            crashed.connection_id,
            Reason.POISON_ORDER,
            f"order {crashed.order}",
            f"Order {crashed.order}: looking at it ended in an error of ours again and again ({crashed.error}). It stands "
            "still; other orders do not. Handle it by hand on both sides and report the error; it is looked at again by "
            "itself.",
        )
        for crashed in facts.crashed
        if crashed.stuck and crashed.times >= CRASHES
    ]


def _of_the_service(facts: Facts) -> list[Wanted]:
    """What concerns the service itself is a case of the first connection, so that it is told once."""
    if not facts.connections:
        return []
    first = facts.connections[0]
    found: list[Wanted | None] = []
    for name in BEATING:
        heard = facts.beats.get(name)
        if heard is not None and facts.now - heard > BEATS_ALLOWED:
            said = (
                f"The {name} was last heard more than two minutes ago. What was lost is not found again meanwhile. Is a "
                "worker running? Start one with `interlock worker`, and look at its log."
            )
            found.append(Wanted(first.id, Reason.POLLER_STALE, name, said))
    for trouble in facts.troubles:
        if trouble.code == "clock_skew" and facts.now - trouble.last_at <= CLOCK_FORGIVEN_AFTER:
            said = (
                "The clock of a machine that runs a worker differs from the database's by more than two seconds. The "
                "work follows the database's clock and stays right; switch on time synchronisation on that machine."
            )
            found.append(Wanted(first.id, Reason.CLOCK_SKEW, trouble.part, said))
    found.extend(_of_itself(facts, trouble, first) for trouble in facts.troubles)
    return [one for one in found if one is not None]


def _of_itself(facts: Facts, trouble: TroubleFact, first: ConnectionFacts) -> Wanted | None:
    """What the service found out about its own log, backup, audit log and heartbeat."""
    age = facts.now - trouble.last_at
    match trouble.code:
        case "audit_log_broken":
            said = (
                f"The audit log does not hold together any more: {trouble.detail} Nobody could have changed it by way of "
                "Interlock. Verify it on the page Audit log, and keep a copy of the table as it is."
            )
            return Wanted(first.id, Reason.AUDIT_LOG_BROKEN, "audit log", said)
        case "backup_old" if age <= BACKUP_FORGIVEN_AFTER:
            said = (
                f"{trouble.detail} Interlock makes no backups itself; look at the one you make, run it now, and see that "
                "it ends well."
            )
            return Wanted(first.id, Reason.BACKUP_OLD, "backup", said)
        case "canary_in_log" if age <= CANARY_STANDS:
            said = (
                "A line that was about to be written to the log held a piece of your made-up customer. It was held back "
                "and log.canary stands in its place; look at the lines around it, and at who may read the logs."
            )
            return Wanted(first.id, Reason.CANARY_IN_LOG, trouble.part, said)
        case "heartbeat_missing" if age <= FAILED_BEATS_STAND and trouble.times >= FAILED_BEATS:
            channel = trouble.part.removeprefix("heartbeat ")
            since = dict(facts.outside).get(channel)
            heard = facts.beats.get(trouble.part)
            if since is None or facts.now - max(since, heard or since) <= UNHEARD_FOR:
                return None
            said = (
                f"The address of {channel}, which waits for our sign of life, has taken none for more than ten minutes. If "
                "the service died now, nobody outside would notice, or is paged already for nothing. Test the channel on "
                "the page Alerts."
            )
            return Wanted(first.id, Reason.HEARTBEAT_MISSING, channel, said)
        case _:
            return None
