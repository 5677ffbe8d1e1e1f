"""What an answer of the Admin API means for the call that asked: pure readings, no connection."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from interlock.orders.outcomes import Refused, Unavailable, Unknown

Failure = Refused | Unavailable | Unknown
TOKEN_REFUSED = "the access token was refused (HTTP 401)"
CREDENTIALS_WRONG = ": the app's credentials are wrong, or the app is not installed"

# Top-level codes that are given before anything is executed (reference 4.4). Validation codes (undefinedField,
# argumentNotAccepted, …) are written in camel case and belong here as a kind.
_NOT_EXECUTED = (
    "ACCESS_DENIED",
    "BAD_REQUEST",
    "INVALID_FIELD_ARGUMENTS",
    "INVALID_VARIABLE",
    "MAX_COST_EXCEEDED",
    "RESOURCE_NOT_FOUND",
)
_VALIDATION = re.compile(r"[a-z]+([A-Z][a-z]+)+")
_LATER = ("too many attempts", "please try again later")
_LATER_SECONDS = 60.0  # creation is limited per minute on development stores (reference 5.1)
_EMAIL = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+")
_PHONE = re.compile(r"\+?\d[\d ()./-]{7,}\d")
_LONGEST_WORDS = 240

# English messages of mutations whose errors carry no code (reference 5.4, 7.1, 7.4, 11), as classes of our own.
_MESSAGES = (
    ("this order has been paid", "ALREADY_COMPLETED"),
    ("already been completed", "ALREADY_COMPLETED"),
    ("already been cancelled", "ALREADY_CANCELLED"),
    ("already been canceled", "ALREADY_CANCELLED"),
    ("cannot be marked as paid", "CANNOT_BE_MARKED_PAID"),
    ("unfulfillable status", "UNFULFILLABLE_STATUS"),
    ("cannot be edited", "CANNOT_BE_EDITED"),
    ("at least one change", "NOTHING_TO_CHANGE"),
    ("does not exist", "NOT_FOUND"),
    ("not found", "NOT_FOUND"),
    ("already been taken", "TAKEN"),
    ("not available in the requested quantity", "INVENTORY_CLAIM_FAILED"),
    ("insufficient stock", "INVENTORY_CLAIM_FAILED"),
    ("out of stock", "INVENTORY_CLAIM_FAILED"),
)


class CallFailed(Exception):
    """A call ended without data that could be used; `outcome` says whether it may have had an effect."""

    def __init__(self, operation: str, outcome: Failure) -> None:
        self.operation = operation
        self.outcome = outcome
        self.trouble = _trouble_of(outcome)
        match outcome:
            case Refused(code=code, words=words):
                said = f"Shopify refused it with {code}: {words} Nothing was changed."
            case Unavailable(why=why, retry_after=None):
                said = f"It had no effect: {why}. It is asked again later."
            case Unavailable(why=why, retry_after=seconds):
                said = f"It had no effect: {why}. It may be asked again in {seconds:g} s."
            case Unknown(why=why):
                said = f"Whether it had an effect is not known: {why}. What it wrote has to be read back."
        super().__init__(f"{operation} failed. {said}")


def _trouble_of(outcome: Failure) -> Literal["credential_refused", "scope_missing", "unreachable"]:
    """What a person has to put right, if it is the app's credentials or its scopes that are refused."""
    match outcome:
        case Unavailable(why=why) if why == TOKEN_REFUSED or why.endswith(CREDENTIALS_WRONG):
            return "credential_refused"
        case Refused(code="ACCESS_DENIED"):
            return "scope_missing"
        case _:
            return "unreachable"


def words_of(message: str, private: Sequence[str] = ()) -> str:
    """A platform's message without personal data: e-mail addresses, telephone numbers, and every text in
    `private` (parts of the address we sent), cut to a length a case can show."""
    said = " ".join(message.split())
    for text in sorted(private, key=len, reverse=True):
        if len(text.strip()) > 2:
            said = re.sub(re.escape(text.strip()), "…", said, flags=re.IGNORECASE)
    said = _PHONE.sub("…", _EMAIL.sub("…", said))
    return said if len(said) <= _LONGEST_WORDS else said[: _LONGEST_WORDS - 1] + "…"


def http_failure(status: int, retry_after: str | None) -> Failure | None:
    """What an HTTP status other than success means; None for 2xx. Redirects are never followed.

    Shopify: 401 token, 402 frozen, 403 permission, 404 host, 423 locked, 429 another limiter (reference 2.1, 4.1).
    """
    if 200 <= status < 300:
        return None
    if status == 401:
        return Unavailable(TOKEN_REFUSED)
    if status == 429:
        return Unavailable("too many requests (HTTP 429)", seconds(retry_after))
    if status == 402:
        return Unavailable("the shop is frozen (HTTP 402)")
    if status == 423:
        return Unavailable("the shop is locked (HTTP 423)")
    if 300 <= status < 400:
        return Unavailable(f"the shop answered with a redirect (HTTP {status}), which is never followed")
    if status in (400, 403, 404, 405, 406, 413, 415, 422):
        return Refused(f"HTTP_{status}", f"The request was not accepted (HTTP {status}).")
    return Unknown(f"the shop answered with HTTP {status}")


def seconds(header: str | None) -> float | None:
    """A Retry-After header in seconds; None where it is missing or not a number."""
    try:
        wait = float(header) if header is not None else None
    except ValueError:
        return None
    return wait if wait is not None and 0 <= wait < 86400 else None


def top_level_failure(
    errors: Any, data: Mapping[str, Any] | None, extensions: Any, private: Sequence[str] = ()
) -> Failure | None:
    """What `errors` beside a missing result mean (reference 4.4, fact 17).

    None when every root field has a result: then the mutation did run, and its own payload decides. A denial
    below a root field may come after the mutation ran, so it is Unknown; so is every code we do not know.
    """
    if not errors:
        return None
    if data and all(value is not None for value in data.values()):
        return None
    if isinstance(errors, str):
        return Unknown(words_of(errors, private))
    listed = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, Sequence) else []
    if not listed:
        return Unknown("the answer has errors we cannot read")
    codes = [_code(error) for error in listed]
    first = words_of(str(listed[0].get("message", "")), private)
    if "THROTTLED" in codes:
        return Unavailable("the shop's cost limit is reached (THROTTLED)", throttle_wait(extensions))
    for error, code in zip(listed, codes, strict=True):
        if not (code in _NOT_EXECUTED or _VALIDATION.fullmatch(code)):
            return Unknown(f"the shop answered {code or 'an error without a code'}: {first}")
        path = error.get("path")
        if code == "ACCESS_DENIED" and isinstance(path, Sequence) and len(path) > 1:
            return Unknown(
                f"a field of the answer was denied ({first}), which does not prove that nothing ran"
            )
    if data and any(value is not None for value in data.values()):
        return Unknown(f"part of the request ran, part was refused with {codes[0]}: {first}")
    return Refused(codes[0], first)


def throttle_wait(extensions: Any) -> float:
    """Seconds until the bucket holds the refused request (reference 4.1); at least a quarter, at most 60."""
    cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
    status = cost.get("throttleStatus") if isinstance(cost, Mapping) else None
    if not isinstance(cost, Mapping) or not isinstance(status, Mapping):
        return 1.0
    try:
        lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        wait = lacking / float(status["restoreRate"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return min(max(wait, 0.25), 60.0)


def user_errors(
    errors: Sequence[tuple[str | None, str]], private: Sequence[str] = ()
) -> Refused | Unavailable | None:
    """The first of a payload's user errors, given as (code, message); None when there are none.

    Without a code of the platform's own, the code is the class of the message, or USER_ERROR.
    """
    for code, message in errors:
        lower = message.casefold()
        if any(text in lower for text in _LATER):
            return Unavailable("the shop accepts no more of these for now", _LATER_SECONDS)
        words = words_of(message, private)
        # INVALID says less than the message does
        named = code if code and code != "INVALID" else message_class(message)
        return Refused(named or code or "USER_ERROR", words)
    return None


def message_class(message: str) -> str:
    """Our name for a known message, empty for any other."""
    lower = message.casefold()
    return next((name for text, name in _MESSAGES if text in lower), "")


def search_warnings(extensions: Any) -> list[str]:
    """Fields of a search filter that the shop ignored (fact 16): the result is wider than asked."""
    searches = extensions.get("search") if isinstance(extensions, Mapping) else None
    found: list[str] = []
    for search in searches if isinstance(searches, Sequence) and not isinstance(searches, str) else ():
        for warning in (search.get("warnings") if isinstance(search, Mapping) else None) or ():
            if isinstance(warning, Mapping):
                found.append(f"{warning.get('field')} ({warning.get('code')})")
    return found


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    return code if isinstance(code, str) else ""
