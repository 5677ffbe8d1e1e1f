"""The pages of the manual that the catalogue writes: who owns what, and what is automatic."""

from collections.abc import Iterable
from typing import get_args

from interlock.orders.reasons import CATALOGUE, Owner, Reason, ReasonPage
from tools.reference import WRITTEN

TEAMS = {
    "CX": (
        "CX, customer service",
        "what the customer ordered and what becomes of it",
        "a-day-in-customer-service.md",
    ),
    "operations": (
        "Operations",
        "orders that come in, stock, parcels and carriers",
        "a-day-in-operations.md",
    ),
    "finance": ("Finance", "money that has to move at the marketplace", "a-day-in-finance.md"),
    "engineer": ("Engineer on call", "the service itself, and what no rule understands", "on-call.md"),
}
_SEVERITIES = ("urgent", "today", "note")
_BY_ITSELF = (
    (
        "A new marketplace order becomes exactly one Shopify order, with its stock reserved",
        "its SKUs are known, in stock and priced as in the shop",
    ),
    ("The order is accepted at the marketplace", "its Shopify order or draft exists"),
    (
        "The parcel is held and released",
        "always; the hold comes off when both sides agree and the marketplace waits for the parcel",
    ),
    (
        "Units and lines that were taken out in Shopify are cancelled at the marketplace",
        "the marketplace allows it at that moment, and nothing was added besides",
    ),
    (
        "An order that was cancelled in Shopify is cancelled at the marketplace",
        "no other order replaces it, and nothing has left",
    ),
    (
        "What the marketplace cancels is taken out of the Shopify order",
        "the setting mirrors it and nothing has left",
    ),
    ("An order that an app made anew takes the place of the old one", "the evidence leaves no doubt"),
    (
        "Tracking and dispatch are reported to the marketplace",
        "the carrier is known and everything agreed has left",
    ),
    ("A call whose answer was lost is read back before it is sent again", "always"),
    ("A hold that somebody took off too early is put back, once", "the order is not ready to ship"),
)
_NEVER = (
    ("A line is refused", "Refusing is a sale that is given up: a person decides it."),
    (
        "Money that was refunded in Shopify is refunded at the marketplace",
        "It is always a task, whatever the settings say.",
    ),
    ("A refund above the cap, or two people's limit, is made", "One or two people approve it first."),
    (
        "A swap is half cancelled",
        "A removal with an addition is one thing; a person decides what becomes of it.",
    ),
    ("Somebody else's hold is taken off", "Interlock touches only its own."),
    ("A third hold is placed where people released two", "From then on it is an incident."),
    ("A second copy of an order is shipped", "It is held until a person says which one stands."),
    ("A customer is written to", "Only in words a person wrote, through the marketplace."),
)


def owners_page() -> str:
    """Who owns which case, by team and by how soon."""
    parts = [
        "# Who owns what",
        f"{WRITTEN} Every case belongs to one team. The urgent ones of a team come first here, as they do in its queue.",
    ]
    for team in get_args(Owner):
        name, about, day = TEAMS[team]
        parts.append(f"## {name}")
        parts.append(f"Looks after {about}. How the day goes: [{_day(day)}]({day}).")
        rows = sorted(_of(team), key=lambda row: _SEVERITIES.index(row[1].severity))
        parts.append(
            _table(
                ("case", "how soon", "what it costs if nobody answers"),
                ((_link(reason, page), page.severity, page.damage.costs) for reason, page in rows),
            )
        )
    parts.append("## What no team owns")
    parts.append(
        "The notifications of the shop, its apps and its flows belong to whoever runs the shop: see [mail to marketplace "
        "customers](customer-mail.md). Catalogue, prices and returns are outside Interlock."
    )
    return "\n\n".join(parts) + "\n"


def automatic_page() -> str:
    """What Interlock does by itself, what it only tells of, and what it leaves to people."""
    told = [(reason, page) for reason, page in CATALOGUE.items() if page.handled_by != "person"]
    return (
        "\n\n".join(
            (
                "# What is automatic and what is not",
                f"{WRITTEN} Interlock does what the facts on both sides settle, and asks where they do not.",
                "## By itself",
                _table(("what", "when"), _BY_ITSELF),
                "What becomes of every kind of edit in every situation: [edits](edits.md).",
                "## By itself, and it tells you",
                "These cases open so that somebody knows; they close without an answer.",
                _table(
                    ("case", "team", "closes"),
                    ((_link(reason, page), page.owner, page.closes_when) for reason, page in told),
                ),
                "## Never without a person",
                _table(("what", "because"), _NEVER),
                "Every other case waits for an answer; [who owns what](who-owns-what.md) lists them by team. How far automation goes is set for "
                "each connection: [settings](../reference/settings.md).",
            )
        )
        + "\n"
    )


def _of(team: str) -> list[tuple[Reason, ReasonPage]]:
    return [(reason, page) for reason, page in CATALOGUE.items() if page.owner == team]


def _day(page: str) -> str:
    return page.removesuffix(".md").replace("-", " ")


def _link(reason: Reason, page: ReasonPage) -> str:
    return f"[{page.title}](cases/{reason.value}.md)"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
