"""What several cases have in common: one unknown carrier stops two hundred orders, and one answer frees them all."""

from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason


def cause_of(case: Case) -> str:
    """The key of the name that cases of one reason and one connection share; empty where a case has no cause but its own
    order."""
    match case.reason:
        case Reason.CARRIER_UNKNOWN | Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS:
            shared = case.subject
        case Reason.TRACKING_NOT_CORRECTED:
            shared = _fact(case, "Carrier in Shopify") if Option.MAP_CARRIER in case.options else ""
        case Reason.STOCK_SHORT:
            shared = "" if case.subject == "order" else case.subject
        case Reason.UNKNOWN_VALUE:
            shared = ", ".join(f"{name}={value}" for name, value in case.facts)
        case Reason.TRACKING_MISSING:
            shared = _fact(case, "Shipping method")
        case Reason.PLATFORM_REFUSED:
            shared = " ".join(word for word in (case.subject, _fact(case, "code")) if word)
        case Reason.ACCEPTANCE_REFUSED | Reason.IMPORT_REFUSED:
            shared = _fact(case, "code")
        case _:
            shared = ""
    return cause_key(shared)


def cause_key(name: str) -> str:
    """A shared name as cases keep it and are found by it: without blanks around it, and upper and lower case the same,
    because the maps that answer it do not tell them apart."""
    return name.strip().casefold()


def _fact(case: Case, name: str) -> str:
    return next((value for known, value in case.facts if known == name), "")
