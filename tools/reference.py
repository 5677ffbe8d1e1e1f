"""The reference pages that the code writes: actions, reasons, settings, and the open questions about the platforms."""

import ast
import dataclasses
import inspect
import typing
from collections.abc import Iterable
from datetime import timedelta

from interlock.orders import actions, connection
from interlock.orders.reasons import CATALOGUE, Option
from interlock.settings import PREFIX, Settings
from interlock.simulator.mirakl.switches import SWITCHES
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switch

WRITTEN = "*Written from the code by `./dev generate`.*"

CALL_CLASSES = {
    "A": "keyed: the platform recognises a repetition",
    "B": "guarded by state, or the last write wins",
    "C": "findable by a marker before it is repeated",
    "D": "neither: at most two attempts, then a person",
}
# What the options of cases mean, in the words of the console's buttons.
OPTIONS = {
    Option.MAP_SKU: "This marketplace SKU is that SKU of the shop.",
    Option.MAP_CARRIER: "This carrier name of the shop is that carrier of the marketplace.",
    Option.CREATE_ORDER: "The shop has no order for this sale yet: create it in Shopify.",
    Option.IN_SHOP_ALREADY: "The shop has an order for this sale already; Interlock leaves it alone from now on.",
    Option.CREATE_WITH_CUSTOM_LINE: "Create the Shopify order with a line that reserves no stock; it stays held.",
    Option.ACCEPT_WITHOUT_ORDER: "Accept at the marketplace although no Shopify order exists; an urgent incident until it does.",
    Option.REFUSE_ORDER: "Refuse every line at the marketplace.",
    Option.UNDO_IN_SHOPIFY: "I am taking the edit back in Shopify.",
    Option.ACCEPT_ANYWAY: "The order is delivered at the marketplace's prices.",
    Option.KEEP_ADDRESS: "The parcel goes to the address the Shopify order shows.",
    Option.UNDO_BY_INTERLOCK: "Interlock sets the Shopify order back to what was agreed.",
    Option.CANCEL_LINE: "Cancel the units that were taken out, although the rest of the edit waits.",
    Option.CANCEL_AND_MESSAGE: "Cancel the whole order at the marketplace, then send the customer my message (OR43).",
    Option.CANCEL_AT_MARKETPLACE: "Cancel the whole order at the marketplace.",
    Option.DONE_IN_PORTAL: "I have done it in the marketplace portal.",
    Option.CONFIRM_WITHDRAWN: "The refunded units stay here.",
    Option.ANOTHER_REFUND: "The refund in Shopify is another one than what is made or asked for already: a task asks for its money.",
    Option.APPROVE_REFUND: "Interlock makes this refund at the marketplace; above the limit a second, different person has to say so too.",
    Option.SHIP_AS_EDITED: "Ship exactly what Shopify shows now, at our own risk: a swap the customer agreed to.",
    Option.SHIP_WITH_DIFFERENCE: "The parcel may leave although the two orders add up to different totals, by exactly this difference.",
    Option.NO_SUCCESSOR: "The other order has nothing to do with this one.",
    Option.LEFT_UNDER_NUMBER: "The parcel left under the tracking number its fulfillment shows, although the label was given back.",
    Option.SECOND_DELIVERY: "The other order sends the goods again, as agreed with the customer; the marketplace is told nothing of it.",
    Option.TAKE_OVER: "The other order stands for the marketplace order from now on.",
    Option.CANCEL_ORIGINAL: "Interlock cancels the replaced order in Shopify.",
    Option.UNDO_TAKE_OVER: "The last take-over was wrong; the order before stands again.",
    Option.SEND_NUMBER: "Shopify's tracking number goes to the marketplace in place of the one that somebody gave in its portal.",
    Option.SEND_AGAIN: "The cause is gone; send the call again.",
    Option.PRINT_ANYWAY: "Print the label although the check said no; given with the label check's override, offered by no case.",
    Option.DISMISS: "Close it with my reason.",
    Option.GIVE_UP: "I do not want this edit any more.",
    Option.TURNED_DOWN: "The operator turned the refund down that Interlock asked for; it will not come.",
}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", *parts, WRITTEN)) + "\n"


# -- actions -----------------------------------------------------------------------------------------------


def actions_page() -> str:
    """Everything Interlock may do to a platform: what becomes true, and what may happen when the answer is lost."""
    kinds = typing.get_args(actions.Action)
    parts = [
        'An action is a target state, never a delta: "at least two units of this line are cancelled", not "cancel two '
        'more". A rule returns it, the ledger commits it, and one page per platform sends it.',
        _table(("class", "what may happen when its outcome is unclear"), CALL_CLASSES.items()),
    ]
    for platform in ("mirakl", "shopify"):
        rows = [
            (f"`{kind.__name__}`", _one_line(inspect.getdoc(kind) or ""), kind.lane, kind.call_class)
            for kind in kinds
            if kind.platform == platform
        ]
        parts += [
            f"## To {platform.capitalize()}",
            f"Sent by `src/interlock/{platform}/perform.py`.",
            _table(("action", "what is true afterwards", "lane", "class"), rows),
        ]
    return _page("Actions", *parts)


def _one_line(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


# -- reasons -----------------------------------------------------------------------------------------------


def reasons_page() -> str:
    """Every reason a case can have, each with a link to its page in the manual."""
    rows = [
        (
            f"[`{reason.value}`](../operations/cases/{reason.value}.md)",
            page.title,
            page.kind,
            page.handled_by,
            page.owner,
            page.severity,
            page.damage.when.value,
        )
        for reason, page in CATALOGUE.items()
    ]
    return _page(
        "Reasons",
        "A case is something a person must look at. A *condition* opens and closes with the facts, a *task* asks for "
        "something to be done and closes on its evidence, an *incident* is damage that stays until it is made good.",
        "The damage is when an unanswered case begins to cost something, unless the case itself names a time; the queue is "
        "ordered by it.",
        _table(("reason", "what it says", "kind", "handled by", "owner", "severity", "damage"), rows),
        "## Answers",
        "A case offers only the answers that exist for it at that moment. Each is kept with a name, a time and a reason.",
        _table(("answer", "what it means"), ((f"`{o.value}`", OPTIONS[o]) for o in Option)),
    )


# -- settings ----------------------------------------------------------------------------------------------

RULES = {
    "name": "A short name of the connection; it is part of the markers on both platforms, for ever.",
    "hold_handle": "The handle of our holds, by which our own are told from everybody else's.",
    "import_route": "`draft`: staff and apps can edit the Shopify order. `order`: exact taxes, but only Interlock can edit it.",
    "payment_lock": "Order route: unpaid in Shopify until the first release.",
    "quiet_period": "How long after the last edit nothing irreversible is sent.",
    "lineage_wait": "How long a cancelation in Shopify waits for a successor before it is carried over.",
    "edit_window": "How long an order stays held after import, so that it can be edited in peace.",
    "acceptance_window": "The time the marketplace gives to accept. No field of its API shows it; without it a connection cannot go live.",
    "accepts_by_itself": "The marketplace accepts orders without us.",
    "partial_acceptance": "Lines may be refused one by one.",
    "partial_cancelation": "The shop may cancel units before debit (OR30).",
    "messages": "The shop may write to customers through the marketplace (OR43).",
    "refuted": "What the marketplace refused although a setting allows it, with its answer; until the setting is said anew it counts as not allowed.",
    "tax_mode": "Whether the marketplace's amounts include taxes.",
    "order_level_tax": "Taxes are computed for the whole order.",
    "cancelation_reason": "The marketplace's reason code that our cancelations carry.",
    "carriers": "The carriers the marketplace has registered (SH21), read daily.",
    "carrier_mappings": "How each carrier name of the shop is called there.",
    "unregistered_carriers": "The marketplace takes carriers that are not on its list.",
    "tracking_mandatory_for": "Shipping methods for which the marketplace demands tracking.",
    "reduction_after_debit": "What becomes of a reduction after the customer has paid. `task`: a person refunds in the portal. `approve`: Interlock refunds once a person has approved it. `automatic`: Interlock refunds by itself up to `refund_cap`.",
    "refund_limit": "Where Interlock's refunds of one order would come to more than this, in the order's currency, two different people have to approve the next one.",
    "refund_cap": "The most of one order that `automatic` refunds without approval, in one refund or in several.",
    "refund_reason": "The marketplace's reason code that our refunds carry.",
    "reasons_by_edit": "Other reason codes for quantities that were lowered and for lines that were removed.",
    "proportional_taxes": "Cancelations and refunds name every tax. Off: only taxes the marketplace does not compute itself.",
    "publish_stock": "Publish the shop's stock to the offers of this marketplace (STO01): never more than is available, also of a product that Shopify may sell beyond its stock.",
    "stock_locations": "The Shopify locations whose stock is offered and orders are accepted on; none named means every active one that fulfils online orders.",
    "stock_buffer": "Units held back from every offer; a SKU may have its own.",
    "stock_zeroed": "Why every offer shows nothing for now: a person and a reason.",
    "shipping_methods": "What the Shopify order's shipping line is called for each shipping method of the marketplace (SH12); set on the page of the connection's shipping methods or with `interlock methods map`. One without a title carries the marketplace's label.",
    "order_in_portal": "The https address of an order's page in the marketplace's portal, with {order_id} where its number stands. Without it links lead to the portal's start.",
    "multi_shipment": "The marketplace is told of parcels one by one (ST01, ST23, ST24) and lists what is left to ship (ST12). Read from PC01 once a day.",
    "shipping_origins": "The marketplace's warehouse code for each Shopify location, sent with the shipments that leave from it (ST01).",
    "own_fulfillment_centers": "Fulfilment centres whose orders are ours to ship.",
    "label_max_age": "How old the last look at Shopify may be for a label check to say yes; an older one is read anew.",
    "service_wait": "How long a fulfilment service that was asked to stop may take to answer before it is a case.",
    "price_tolerance": "How far, in per cent of the shop's price, the marketplace's unit price may be from it before a person is asked.",
    "show_status": "The Shopify order says where it stands, as a metafield and a tag, for staff and Shopify Flow. `interlock connect` switches it on for a new connection and says so; `--show-status no` switches it off.",
    "customer_mail": "What mail about its orders is wanted. `none`: none at all, so an order without an e-mail address is fine. `shipping`: the shop's shipping mails reach the customer through the relay address, so an order that lost it is a case. Interlock itself sends none in either.",
    "pauses": "Flows that a person has stopped for a while on the page Connections, each with who, why and until when.",
    "mirror_marketplace_changes": "What the marketplace takes out of its order is taken out of the Shopify order by our own edit, where we may edit it.",
    "settle": "How long an unclear outcome is left alone before the platforms are believed about it.",
}


def settings_page() -> str:
    """The settings of an installation, and the rules of one connection."""
    environment = [
        (
            f"`{PREFIX}{name.upper()}`",
            field.description or "",
            "unset" if field.default is None else f"`{field.default}`",
        )
        for name, field in Settings.model_fields.items()
    ]
    rules = [
        (f"`{field.name}`", RULES[field.name], _default(field.default))
        for field in dataclasses.fields(connection.ConnectionRules)
    ]
    return _page(
        "Settings",
        "## Of the installation",
        "Read once from the environment. A variable with our prefix that is not listed here stops the start: a misspelt "
        "safety switch must not pass for one that is set.",
        _table(("variable", "meaning", "default"), environment),
        "## Of a connection",
        "A connection is one Mirakl shop account selling from one Shopify shop. Its rules are set with `interlock connect` "
        "and, where the marketplace says them itself, read from there.",
        _table(("rule", "meaning", "default"), rules),
    )


def _default(value: object) -> str:
    if value is dataclasses.MISSING:
        return "must be given"
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f} s"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value if each) or "none"
    return f"`{value}`" if value else "none"


# -- what nobody knows -------------------------------------------------------------------------------------


def unverified_page() -> str:
    """The open questions about both platforms, as the simulators know them: the checklist before going live."""
    parts = [
        "What the platforms' documents leave open, and what the product must survive either way. Each question is a switch of "
        "a simulator; seeded histories draw every value, and the promises have to hold under each. Before going live on a real "
        "marketplace or shop, settle what you can and write down what you found.",
    ]
    for name, switches in (("Mirakl", SWITCHES), ("Shopify", SHOPIFY_SWITCHES)):
        parts += [f"## {name}", f"{len(switches)} questions.", *(_question(switch) for switch in switches)]
    return _page("What is not verified", *parts)


def _question(switch: Switch) -> str:
    values = ", ".join(
        f"**`{value}`** (assumed)" if value == switch.default else f"`{value}`" for value in switch.values
    )
    return (
        f"### `{switch.name}`\n\n{switch.question}\n\n"
        f"- Values: {values}\n"
        f"- How to settle it: {switch.how_to_settle}\n- [ ] settled, on:"
    )


# -- names in prose ----------------------------------------------------------------------------------------


def defines(source: str, symbol: str) -> bool:
    """Whether a Python source defines this name: a function, a class, a method as `Class.method`, or a variable."""
    body: list[ast.stmt] = ast.parse(source).body
    for part in symbol.split("."):
        found = next((node for node in body if part in _names(node)), None)
        if found is None:
            return False
        body = list(getattr(found, "body", []))
    return True


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []
