"""Words for what the page Health calls by code: operations of the platforms, parts of the service, and counters."""

from collections.abc import Sequence

from interlock.engine.store import ConnectionRow
from interlock.mirakl.read import BY_ID

OPERATIONS: dict[str, str] = {
    "V01": "the version of the seller API",
    "A01": "the shop's account",
    "PC01": "the marketplace's settings",
    "RE01": "reasons for cancelations and refunds",
    "SH12": "shipping methods",
    "SH21": "carriers",
    "OF21": "one offer",
    "OF52": "export of changed offers",
    "OF52:full": "export of every offer",
    "OF53": "progress of an export of offers",
    "OF54": "file of exported offers",
    "OR11": "orders, new and changed",
    BY_ID: "orders by their number",
    "OR04": "our order number for an order",
    "OR21": "acceptance of an order",
    "OR23": "tracking of an order",
    "OR24": "an order has left",
    "OR28": "refunds",
    "OR29": "cancelation of a whole order",
    "OR30": "cancelation of units",
    "OR43": "message to a customer",
    "ST01": "new shipments",
    "ST06": "shipments taken back",
    "ST11": "shipments of orders",
    "ST12": "what is left to ship",
    "ST23": "tracking of shipments",
    "ST24": "shipments have left",
    "STO01": "stock file",
    "STO02": "progress of a stock file",
    "STO03": "errors of a stock file",
}
"""What the calls of Mirakl's seller API are about, by operation code."""

COUNTS: dict[str, str] = {
    "alert_not_sent": "alerts that a channel did not take",
    "alert_sent": "alerts sent",
    "alerts_made": "alerts made",
    "answer_refused": "answers to cases refused",
    "api_calls": "calls of the API",
    "api_refused": "calls of the API refused",
    "capability_unread": "reads of a marketplace's settings that failed",
    "connect_refused": "connections refused as they were given",
    "duty_failed": "rounds of a duty that failed",
    "edit_asked": "edits asked for at the desk",
    "ended_before_known": "orders that had ended before Interlock first saw them",
    "event_read_failed": "reads of orders by number that failed",
    "found_only_by_sweep": "changes in the shop that no webhook told",
    "heartbeat_not_taken": "heartbeats that the outside watch did not take",
    "job_rescued": "jobs of a lost worker taken up again",
    "kin_noted": "Shopify orders noted as possible replacements",
    "label_overridden": "labels printed although the check said no",
    "lease_lost": "looks given up because another worker had the order",
    "look_failed": "looks at orders that failed",
    "map_file_refused": "mapping files refused",
    "mark_refused": "order marks that Shopify refused",
    "mark_unclear": "order marks whose outcome was unclear",
    "mark_unread": "order marks that could not be read",
    "offer_export_failed": "exports of offers that failed",
    "offer_look_failed": "looks at one offer that failed",
    "offer_repaired_after_refusal": "offers told again after a refusal set them to zero",
    "offer_unreadable": "offers of which an export showed no quantity, or that could not be read",
    "offer_zeroed_by_refusal": "offers that a refusal set to zero",
    "offers_unread": "reads of all offers that failed",
    "order_repeated": "orders a page of the marketplace showed twice",
    "oversold": "SKUs sold more often than they were there",
    "poll_failed": "reads of the marketplace's orders that failed",
    "quarantine_entered": "quarantines begun",
    "services_unread": "reads of the fulfilment services that failed",
    "shopify_sweep_failed": "reads of the shop's changed orders that failed",
    "sign_in_refused": "sign-ins refused",
    "stock_drifted": "offers that showed another figure than was told",
    "stock_file_lost": "stock files that never arrived",
    "stock_file_refused": "stock files refused",
    "stock_file_sent": "stock files sent",
    "stock_file_unclear": "stock files whose outcome was unclear",
    "stock_import_unread": "stock files whose progress could not be read",
    "stock_line_refused": "lines of stock files refused",
    "stock_line_sent": "lines of stock files sent",
    "stock_report_unreadable": "error reports of stock files that could not be read",
    "stock_unread": "reads of the shop's stock that failed",
    "stock_zeroed_by_others": "offers that showed none, although they were told some",
    "subscription_added": "webhook subscriptions made",
    "subscription_refused": "webhook subscriptions that Shopify refused",
    "subscriptions_unread": "reads of the webhook subscriptions that failed",
    "unknown_value": "values of the marketplace this version does not know",
    "unreadable_order": "orders that could not be read",
    "unreadable_page": "pages of orders that could not be read",
    "variants_unread": "reads of the shop's products that failed",
    "wake_failed": "workers that could not be woken at once",
    "webhook_accepted": "webhooks taken up",
    "webhook_app": "webhooks about the app itself",
    "webhook_of_kin": "webhooks about orders that replace another or may",
    "webhook_of_other_order": "webhooks about orders of no marketplace",
    "webhook_of_stock": "webhooks about stock",
    "webhook_privacy": "webhooks about personal data",
    "webhook_refused": "webhooks refused",
    "webhook_repeated": "webhooks that came again",
    "webhook_seen_already": "webhooks about what had been read already",
    "webhook_unresolved": "webhooks whose order was not known yet",
}
"""What each counter counts."""


def operation_in_words(code: str) -> str:
    """What a call is about; empty for a code this version has no words for."""
    return OPERATIONS.get(code, "")


def count_in_words(name: str) -> str:
    """What a counter counts; its name with blanks where this version has no words for it."""
    return COUNTS.get(name, name.replace("_", " "))


def account_in_words(account: str, rows: Sequence[ConnectionRow]) -> str:
    """The connections that share this platform account, and which side of theirs it is; the account where none does."""
    if names := [row.name for row in rows if row.mirakl_account == account]:
        return f"{', '.join(names)}: marketplace"
    if names := [row.name for row in rows if row.shopify_account == account]:
        return f"{', '.join(names)}: shop"
    return account


def part_in_words(name: str, rows: Sequence[ConnectionRow]) -> str:
    """A duty or a beat of the service as people call it: by connection, and by what is read; its name where that says so."""
    first, _, rest = name.partition(" ")
    match first:
        case "mirakl":
            return account_in_words(name, rows)
        case "sweep":
            return account_in_words(rest, rows)
        case "shopify" if rest.startswith("sweep "):
            return f"{rest.removeprefix('sweep ')}: shop"
        case "poll":
            return f"{rest}: marketplace"
        case "offers":
            return next((f"{row.name}: offers compared" for row in rows if str(row.id) == rest), name)
        case "variants":
            return f"products of {rest}"
        case _:
            return name
