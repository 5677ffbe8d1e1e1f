"""What several cases have in common: one unknown carrier stops two hundred orders, and one answer frees them all."""

import re
from collections.abc import Iterable
from typing import assert_never

from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,80}")


def cause_of(case: Case) -> str:
    """The key of the name that cases of one reason and one connection share; empty where a case has no cause but its own
    order. It is made of names and codes alone, never of words that somebody wrote."""
    match case.reason:
        case Reason.CARRIER_UNKNOWN | Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS:
            shared = case.subject
        case Reason.FLOW_PAUSED:
            shared = case.subject
        case Reason.EMAIL_NOT_RELAY | Reason.MARKETING_POSSIBLE:
            # the digest of the one address an app writes everywhere, or the tag it puts on everything
            shared = case.subject
        case Reason.STOCK_SHORT:
            shared = "" if case.subject == "order" else case.subject
        case Reason.PRICE_DISCREPANCY:
            shared = _only(name.rpartition(":")[0] for name, _ in case.facts)
        case Reason.UNKNOWN_VALUE:
            shared = ", ".join(f"{name}={value}" for name, value in case.facts)
        case Reason.IMPOSSIBLE_COMBINATION:
            shared = _facts(case, "Marketplace state", "Payment workflow")
        case Reason.NOT_OURS_TO_SHIP:
            shared = _facts(case, "Fulfilment centre", "Paid to")
        case Reason.OLDER_THAN_CONNECTION:
            shared = _facts(case, "Live since")
        case Reason.TOTALS_DIFFER:
            shared = _facts(case, "Currencies")
        case Reason.TRACKING_MISSING:
            shared = _facts(case, "Shipping method", "Missing")
        case Reason.OPERATOR_SHIPS:
            shared = _facts(case, "Shipping method")
        case Reason.SHIPMENTS_HIDDEN:
            shared = "shipments hidden"
        case Reason.TRACKING_NOT_CORRECTED:
            mapped = Option.MAP_CARRIER in case.options
            shared = (
                _facts(case, "Carrier in Shopify") if mapped else _fact(case, "Missing") or _refusal(case)
            )
        case Reason.PLATFORM_REFUSED:
            shared = " ".join(word for word in (case.subject, _code(case)) if word)
        case Reason.ACCEPTANCE_REFUSED | Reason.CANNOT_HOLD:
            shared = _code(case)
        case Reason.IMPORT_REFUSED:
            # TAKEN says that a Shopify order is there already: somebody looks for each before it is sent again
            shared = "" if _code(case) == "TAKEN" else _code(case)
        case Reason.REFUND_REFUSED:
            # an earlier attempt may have moved the money: somebody looks for each before it is sent again
            shared = "" if _fact(case, "Earlier attempts") else _code(case)
        case Reason.SHIPPING_REFUSED | Reason.REDUCTION_REFUSED:
            shared = _refusal(case)
        case Reason.REFUND_NOT_PAID:
            shared = _only(state for _, state in case.facts)
        case (
            # every order is its own deadline; what stops it is another case
            Reason.ACCEPTANCE_RUNNING_OUT
            | Reason.SHIPPING_DEADLINE_NEAR
            # what a person did with one order, and is to decide for this one
            | Reason.EDIT_CANNOT_BE_EXPRESSED
            | Reason.EDIT_WAITING
            | Reason.REDUCTION_NOT_ALLOWED
            | Reason.BOTH_SIDES_CHANGED
            | Reason.MARKETPLACE_CHANGED
            | Reason.CONFIRM_WITHDRAWN
            | Reason.DESK_EDIT_STUCK
            | Reason.CANCELLED_IN_SHOPIFY
            | Reason.SHOPIFY_ORDER_MISSING
            | Reason.DIFFERENCE_AFTER_QUARANTINE
            | Reason.INCIDENT_OPEN
            | Reason.ADDRESS_INCOMPLETE
            | Reason.DESTINATION_DIFFERS
            # money of one customer
            | Reason.REFUND_TASK
            | Reason.REFUND_APPROVAL
            | Reason.REFUND_MISMATCH
            | Reason.REFUND_ONLY_AT_MARKETPLACE
            | Reason.REFUND_MADE_ALREADY
            # one parcel, which has left or may leave at any moment
            | Reason.HOLD_RELEASED_BY_OTHERS
            | Reason.LABEL_BEFORE_AGREEMENT
            | Reason.LABEL_OVERRIDDEN
            | Reason.LABEL_GIVEN_BACK
            | Reason.SHIPPED_ON_DISAGREEMENT
            | Reason.SERVICE_DOES_NOT_STOP
            | Reason.SERVICE_TO_ASK_AGAIN
            | Reason.TRACKING_UNUSABLE
            | Reason.PARTIAL_SHIPMENT
            | Reason.FULFILLMENT_CANCELLED
            | Reason.STILL_HERE
            | Reason.SHIPMENT_IN_PORTAL
            | Reason.ENDED_AFTER_PICKING
            | Reason.ENDED_WITH_REST
            # which Shopify order stands for this one
            | Reason.TWO_LIVE_ORDERS
            | Reason.ACCEPTED_WITHOUT_ORDER
            | Reason.SHIPPED_WITHOUT_ORDER
            | Reason.DRAFT_WITHOUT_STOCK
            | Reason.POSSIBLE_SUCCESSOR
            | Reason.ORIGINAL_NOT_CANCELLED
            | Reason.REPLACEMENT_SPLIT
            | Reason.REPLACEMENT_MERGED
            # one call, or one order that goes in circles: what did it is read from its story
            | Reason.OUTCOME_UNCLEAR
            | Reason.TOO_MANY_CYCLES
            # of the connection or of the service, so that there is one already
            | Reason.REASON_CODE_MISSING
            | Reason.SETTING_REFUTED
            | Reason.CARRIER_GONE
            | Reason.UNREADABLE_ORDER
            | Reason.POISON_ORDER
            | Reason.QUARANTINE
            | Reason.CREDENTIAL_REFUSED
            | Reason.SCOPE_MISSING
            | Reason.SUBSCRIPTION_MISSING
            | Reason.POLLER_STALE
            | Reason.BUDGET_EXHAUSTED
            | Reason.OPERATION_UNCLEAR
            | Reason.CLOCK_SKEW
            | Reason.AUDIT_LOG_BROKEN
            | Reason.BACKUP_OLD
            | Reason.CANARY_IN_LOG
            | Reason.HEARTBEAT_MISSING
            | Reason.INGRESS_REDIRECTS
            | Reason.OFFER_WITHOUT_VARIANT
            | Reason.OFFER_AMBIGUOUS
            | Reason.OFFER_DELETED
            | Reason.OFFER_SKU_UNUSABLE
            | Reason.VARIANT_WITHOUT_OFFER
            | Reason.STOCK_LOCATION_GONE
            | Reason.STOCK_FILE_REFUSED
            | Reason.STOCK_LINE_REFUSED
            | Reason.STOCK_IMPORT_STUCK
            | Reason.STOCK_ABSURD
            | Reason.OVERSOLD
        ):
            shared = ""
        case _:
            assert_never(case.reason)
    return cause_key(shared)


def cause_key(name: str) -> str:
    """A shared name as cases keep it and are found by it: without blanks around it, and upper and lower case the same,
    because the maps that answer it do not tell them apart."""
    return name.strip().casefold()


def _refusal(case: Case) -> str:
    """Which call the marketplace refuses, and with which code; empty where it gave none."""
    code = _code(case)
    return f"{_fact(case, 'Call')} {code}" if code else ""


def _code(case: Case) -> str:
    """The platform's code for a refusal; empty where what it gave is no code."""
    code = _fact(case, "code") or _fact(case, "Code")
    return code if _CODE.fullmatch(code) else ""


def _facts(case: Case, *names: str) -> str:
    return " ".join(value for name in names if (value := _fact(case, name)))


def _fact(case: Case, name: str) -> str:
    return next((value for known, value in case.facts if known == name), "")


def _only(values: Iterable[str]) -> str:
    """The value that all of them are; empty where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""
