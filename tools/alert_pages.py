"""The manual's page about alerts: its tables are written from the rules themselves."""

from collections.abc import Sequence
from datetime import timedelta

from interlock.monitoring.decide import (
    GROUPED_FOR,
    MOST_NAMED,
    MOST_REPEATS,
    OVER_AFTER,
    PAGES_AT_ONCE,
    REPEAT_PAGE_AFTER,
    UNSEEN_AFTER,
)
from interlock.monitoring.ladders import LADDERS, PAGE_LEAVES_AT_LEAST, SHORT_FIRST_PAGE, Ladder
from interlock.monitoring.objectives import BURN_WINDOWS, BURNING, FEWEST_EVENTS, Numbers, objectives
from interlock.monitoring.outbox import PAUSES, SECOND_CHANNEL_AFTER
from interlock.monitoring.watchdog import AGAIN_EVERY, GONE_AFTER, SILENT_AFTER
from interlock.orders.reasons import CATALOGUE, Reason


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g} minutes"


def _ladder(ladder: Ladder) -> list[str]:
    title = ladder.title[:1].upper() + ladder.title[1:]
    rows = [(f"{rung.percent} %", rung.severity, ", ".join(rung.teams), rung.what) for rung in ladder.rungs]
    return [f"### {title}", "", *_table(("gone", "how loud", "for", "what"), rows)]


def _window(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"


def page() -> str:
    """The page in Markdown; generated, and compared by a test."""
    at_once = [
        (f"[{CATALOGUE[reason].title}](cases/{reason.value}.md)", CATALOGUE[reason].owner)
        for reason in Reason
        if reason in PAGES_AT_ONCE
    ]
    promises = [(one.code, one.what, one.promise) for one in objectives(Numbers())]
    burning = [
        (window.severity, f"{_window(window.long)} and {_window(window.short)}", f"{window.rate:g}")
        for window in BURN_WINDOWS
    ]
    pauses = ", ".join(f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" for seconds in PAUSES)
    lines = [
        "# Alerts: what each means, and what to do",
        "",
        "The tables of this page are written from the rules by `./dev generate`.",
        "",
        "An alert names the connection, the marketplace's order number, the deadline in the reader's own time, how the last",
        "three calls ended, and where to press what. It never holds a name, an address or a sentence of a case.",
        "",
        "| how loud | what it means | what to do |",
        "|---|---|---|",
        "| page | Damage is near, or Interlock cannot do its work. It comes at night too. | Open its link, press *I have seen it*, follow the case's page. |",
        "| message | Somebody has to decide today, in working hours. | Open the case and answer it. |",
        "| ticket | Work for the day; nothing is lost meanwhile. | Take it from the queue. |",
        "",
        "## Ladders: every order is its own deadline",
        "",
        f"The first page comes at least {_minutes(PAGE_LEAVES_AT_LEAST)} before the end; where the time to accept is under two",
        f"hours, at {SHORT_FIRST_PAGE} % of it. Whoever comes late to a deadline hears of its highest rung once.",
        "",
        *(line for ladder in LADDERS for line in _ladder(ladder)),
        "The time to ship begins with the customer's payment, or with the acceptance where nothing is paid before. An order",
        "whose dispatch something stops is told of by that case; any other by *the time to ship is running out*.",
        "Acknowledging a rung does not stop the ladder: seeing a deadline does not move it.",
        "",
        "## Pages that come at once",
        "",
        *_table(("case", "for"), at_once),
        "Every other urgent case is a message to the team it belongs to, and one more after",
        f"{_minutes(UNSEEN_AFTER)} when nobody has taken it up since it opened. Cases for today are tickets; notes are told to nobody.",
        "",
        "## Objectives, and budgets that burn",
        "",
        *_table(("objective", "what", "promised"), promises),
        "S11 counts the open cases about money that one side has given back and the other has not, from the day each first",
        "appeared, however often it closed in between: refund tasks, approvals, refused and mismatched refunds, questions",
        "whether one is made already, refunds that are not paid back, and orders cancelled in Shopify alone.",
        "",
        "S6 counts an order that is told of as a whole from when the last of it left, and where single parcels are told of",
        "each from when it left. One that was never told is not counted: [its deadline](cases/shipping_deadline_near.md)",
        "tells of it.",
        "",
        f"For {', '.join(BURNING)} an alert says when the budget burns too fast over both windows, and only where the longer",
        f"one holds at least {FEWEST_EVENTS} events: with fewer, each order's own deadline is the better alarm.",
        "",
        *_table(("how loud", "windows", "times too fast"), burning),
        "A page comes each time a budget begins to burn, also for the second time of a day, and when it burns faster than was",
        f"said; what was not found for {_minutes(OVER_AFTER)} is over. The tail that a fire leaves in the longer window is not told.",
        "",
        "A queue of cases that grows three days in a row, and refunds that stand on one side only for more than two working",
        "days, are tickets of the day.",
        "",
        "## Who is told, when, and how often",
        "",
        f"- Alerts of one cause are one message with their number; messages of the next {_minutes(GROUPED_FOR)} join it. The",
        f"  page *Alerts* then shows their number, the first {MOST_NAMED} orders and the nearest deadline of all. A page is never",
        "  joined to an earlier one, and nothing joins a message that somebody has acknowledged.",
        f"- A page that nobody acknowledges is sent again after {_minutes(REPEAT_PAGE_AFTER)}, {MOST_REPEATS} times, as long as",
        "  anything of what it is about stands; it then names what still stands. Acknowledging it acknowledges all of it.",
        "- A case that comes back is told again, as loudly as the first time. Only what was done since then counts as taken",
        "  up: whoever had it still has it on the list, and is asked like everybody else.",
        "- Routes choose channels by team, loudness, connection and hours. Outside the hours a message waits; a page never",
        "  does. A page that no route takes goes to every channel.",
        f"- A channel that does not take a message is tried again after {pauses}; then it is given up. Its second channel is",
        f"  used after {SECOND_CHANNEL_AFTER['page']} failed attempt for a page, after {SECOND_CHANNEL_AFTER['message']} for anything else.",
        "- Channels are served at once, each with one message after another: pages first, tickets last. One that does not answer",
        "  keeps no other waiting.",
        "- When it is not known whether a message left, because its worker is gone, it is sent again: a repeated alert is",
        "  harmless, a lost one is not. Nothing else that Interlock sends is repeated like that.",
        "- The link in a message is good for three days, for this one alert, and opens a page with a button: programs that open",
        "  links by themselves acknowledge nothing.",
        "",
        "## Set it up",
        "",
        "1. `interlock alerts channels add pager --kind paging --second chat`, or the page *Alerts*. The address is read from",
        "   standard input, kept encrypted, and never shown again.",
        "2. `interlock alerts test pager`, or the button *Test*: does the message arrive?",
        '3. `interlock alerts routes add chat --team operations --hours "mon-fri 08:00-18:00"`.',
        "4. A channel of kind `heartbeat` is called once a minute. Let a service outside page when that stops.",
        "5. Run `interlock watchdog` as another service, and one more on another machine (below).",
        "",
        "## The watchdog",
        "",
        "`interlock watchdog` asks `/healthz` every ten seconds and reads `watchdog.json` in the data folder, which the service",
        "writes every ten seconds: the next deadlines by order number, when it was written, and the addresses that take pages",
        "(readable for its owner alone; `WATCHDOG_CHANNELS` names others). It needs no database. It pages",
        "",
        f"- when service or database have not answered for {_minutes(GONE_AFTER)}, and again every {_minutes(AGAIN_EVERY)};",
        f"- when the console answers but says that no worker was heard for {_minutes(SILENT_AFTER)};",
        f"- when the file has been missing, unreadable or old for {_minutes(SILENT_AFTER)}: it would not know which orders wait;",
        "- when an order reaches a paging rung meanwhile, once for each rung.",
        "",
        "It does not start where nobody could be told: where the file names no channel and `WATCHDOG_CHANNELS` no address.",
        "On another machine it has no file: start it there with `--without-file`, `--url https://your.console/healthz` and",
        "`WATCHDOG_CHANNELS`. It then pages when the service is gone or no worker is heard, and watches no deadlines. `/healthz`",
        "says to anybody that the database answers and how many seconds ago a worker was heard, and nothing else. Whoever",
        "mounts the data folder on the other machine for the same user may leave `--without-file` away.",
        "",
        "What to do: start the service, or the database; accept the orders it names in the marketplace's portal. Interlock finds",
        "them accepted when it is back. See [when something is red](when-it-is-red.md).",
        "",
    ]
    return "\n".join(lines)
