"""The words of an alert. They are made of codes, numbers, names of connections and moments, and of nothing else: no
sentence of a case, no name of a line, no address can get in. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from interlock.monitoring.decide import Alert

SIGNS = {"page": "PAGE", "message": "Message", "ticket": "Ticket"}


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How one of our calls for an order ended: the action's kind, the ledger's state, and the platform's code."""

    kind: str
    state: str
    code: str


@dataclass(frozen=True, slots=True)
class Composed:
    """What leaves: a title of one line and a plain text."""

    title: str
    body: str


def compose(alert: Alert, calls: tuple[CallOutcome, ...], look: str, acknowledge: str, zone: str) -> Composed:
    """The alert in words. `look` is the address of the page with the button to press, `acknowledge` that of the page
    that takes the acknowledgement; both may be empty where the console has no address. `zone` is the channel's."""
    title, named_orders = _one_line(alert.title), tuple(_one_line(order) for order in alert.orders)
    what = title[:1].upper() + title[1:]
    where = f"{_one_line(alert.connection)}: " if alert.connection else ""
    many = f" ({alert.count})" if alert.count > 1 else ""
    lines = [f"{where}{what}{many}."]
    if named_orders:
        more = alert.count - len(named_orders)
        named = ", ".join(named_orders) + (f" and {more} more" if more > 0 else "")
        lines.append(f"Marketplace order{'s' if alert.count > 1 else ''}: {named}")
    if alert.due_at is not None:
        lines.append(f"Deadline: {local(alert.due_at, zone)}")
    if calls:
        lines.append("Last calls: " + "; ".join(_call(call) for call in calls))
    if alert.teams:
        lines.append(f"For: {', '.join(alert.teams)}")
    if look:
        lines.append(f"What to do: {look}")
    if acknowledge:
        lines.append(f"Acknowledge: {acknowledge}")
    order = f" {named_orders[0]}" if len(named_orders) == 1 and alert.count == 1 else many
    return Composed(f"[{SIGNS[alert.severity]}] {where}{what}{order}", "\n".join(lines))


def local(moment: datetime, zone: str) -> str:
    """A moment as the reader's clock shows it, with the name of its zone."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


def _call(call: CallOutcome) -> str:
    return f"{call.kind} {call.state}{f' ({_one_line(call.code)})' if call.code else ''}"


def _one_line(text: str) -> str:
    """The text without line ends, control characters and turns of direction: a platform chooses numbers and codes, and
    none of them may add a line to a message or turn it round."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
