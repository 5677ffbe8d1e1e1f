"""What the end of a call means: a pure judgement of status, headers and body, or of how the connection broke."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from interlock.mirakl.exact import NotJson, parsed
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown

WriteOperation = Literal[
    "OR04", "OR21", "OR23", "OR24", "OR28", "OR29", "OR30", "OR43", "ST01", "ST06", "ST23", "ST24", "STO01"
]
ReadOperation = Literal[
    "V01",
    "A01",
    "PC01",
    "OR11",
    "RE01",
    "SH12",
    "SH21",
    "ST11",
    "ST12",
    "OF21",
    "OF52",
    "OF53",
    "OF54",
    "STO02",
    "STO03",
]

# Codes the contract names for OR21. Where the error body has no code of its own, its message may name one.
KNOWN_CODES = (
    "ORDER_FULFILLED_UNAUTHORIZED",
    "ORDER_INVALID_STATE",
    "ORDER_LINE_ACCEPTANCE_DECISION_MISSING",
    "ORDER_LINE_DUPLICATE_ID",
    "ORDER_LINE_NOT_FOUND",
    "ORDER_LINE_NULL_ELEMENT",
    "ORDER_NOT_FOUND",
    "ORDER_PARTIAL_ACCEPTANCE_DISABLED",
    "VALIDATION_ERROR",
)
# Why OR28 was refused, told from the words and the code of the answer: the contract publishes no codes for it. The
# first that fits names the class; the rejections are those of the Mirakl reference, section 5.
REFUND_REFUSALS = (
    ("REFUND_BALANCE_TOO_LOW", re.compile(r"balance", re.IGNORECASE)),
    ("REFUND_NOT_DEBITED", re.compile(r"debit", re.IGNORECASE)),
    ("REFUND_RUNNING", re.compile(r"in.progress|already.+refund|refund.+already|REFUND_IN_PROGRESS", re.I)),
    ("REFUND_REASON_UNKNOWN", re.compile(r"reason", re.IGNORECASE)),
    ("REFUND_AMOUNT_TOO_HIGH", re.compile(r"exceed|remaining|too high|greater", re.IGNORECASE)),
    ("REFUND_WRONG_STATE", re.compile(r"stat(?:e|us)|INVALID_STATE", re.IGNORECASE)),
    ("REFUND_NOT_PERMITTED", re.compile(r"HTTP_403|FORBIDDEN|role", re.IGNORECASE)),
)
# Statuses that are given before anything is changed. Mirakl answers 400, not 409, when the state does not allow it.
_DEFINITE = (400, 403, 404, 405, 406, 410, 415)
_LONGEST_WORDS = 200
_EMAIL = re.compile(r"[^\s'\"<>(),;:]+@[^\s'\"<>(),;:]+")
_PHONE = re.compile(r"\+\d[\d ().-]{6,}\d")
_QUOTED = re.compile(r"(?<!\w)(['\"«“])([^'\"»”]*)(['\"»”])(?!\w)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,79}")


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NotSent:
    """The call never left: no connection could be made."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The call left, and no complete answer came back."""

    why: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """Our own budget for this operation is used up; `seconds` until it is worth asking again."""

    seconds: float


Reply: TypeAlias = Answered | NotSent | Broken | Postponed


def classify(operation: WriteOperation, reply: Reply, items: tuple[str, ...]) -> Outcome:
    """What a write's reply means. `items` are the ids its answer must contain: the order id of OR04 and ST01, the line
    ids of OR30, the shipment id of ST06, ST23 and ST24; the other operations name their order in the path and answer without a body, and OR28 is judged by
    `classify_refunds`.

    Only what certainly had no effect is Refused or Unavailable; everything unclear is Unknown.
    """
    match reply:
        case Postponed(seconds=seconds):
            return Unavailable(f"our own budget for {operation} is used up", seconds)
        case NotSent(why=why):
            return Unavailable(why)
        case Broken(why=why):
            return Unknown(why)
        case Answered(status=200 | 204):
            return _success(operation, reply, items)
        case Answered(status=201) if operation in ("OR43", "ST01", "STO01"):
            return _success(operation, reply, items)
        case Answered(status=401):
            return Unavailable("key refused")
        case Answered(status=429):
            return Unavailable("too many calls", retry_after(reply.headers))
        case Answered(status=status) if status in _DEFINITE:
            code, words = refusal(reply)
            return Refused(code, words)
        case Answered(status=status):
            return Unknown(f"answered with status {status}")


def classify_refunds(reply: Reply, wanted: tuple[tuple[str, Decimal, Decimal], ...]) -> Outcome:
    """What the reply to OR28 means. `wanted` is (line id, amount, shipping amount) of every refund that was asked for:
    only an answer that holds each of them with its amounts is Confirmed, with `refund_id:<line id>` as facts.

    A refusal's code is one of REFUND_REFUSALS where its words or code tell, else the platform's own.
    """
    outcome = classify("OR28", reply, ())
    match outcome:
        case Refused(code=code, words=words):
            known = next((name for name, sign in REFUND_REFUSALS if sign.search(f"{words} {code}")), code)
            return Refused(known, words)
        case Confirmed() if isinstance(reply, Answered):
            return _refunds(reply, wanted)
        case _:
            return outcome


def classify_import(reply: Reply) -> Outcome:
    """What the reply to STO01 means: Confirmed, with `import_id` as its fact, only where the marketplace gave the number
    under which it can be asked about the file. A file that was taken without one is Unknown: it may be worked off."""
    outcome = classify("STO01", reply, ())
    if not isinstance(outcome, Confirmed) or not isinstance(reply, Answered):
        return outcome
    try:
        document = parsed(reply.body)
    except NotJson as wrong:
        return Unknown(f"the file was taken, but the answer is {wrong.why}")
    import_id = document.get("import_id") if isinstance(document, dict) else None
    if isinstance(import_id, int) and not isinstance(import_id, bool):
        import_id = str(import_id)
    if not isinstance(import_id, str) or not import_id or len(import_id) > 100:
        return Unknown("the file was taken, but the answer does not give its number")
    return Confirmed((("import_id", import_id),))


def refusal(answer: Answered) -> tuple[str, str]:
    """Code and words of an error body, in any of the shapes Mirakl products use: `message` and `status`;
    `code` or `errors[].code`; `errors[]` with `field` and `message`; or nothing readable at all.

    Without a code of the platform's own the code is `HTTP_<status>`.
    """
    try:
        document = parsed(answer.body)
    except NotJson:
        return f"HTTP_{answer.status}", ""
    return _told(document, f"HTTP_{answer.status}")


def told_words(text: str) -> str:
    """A platform's message without what may be personal: e-mail addresses, telephone numbers, and quoted
    values that are not codes. At most 200 characters."""
    plain = " ".join(text.split())
    plain = _PHONE.sub("…", _EMAIL.sub("…", plain))
    return _QUOTED.sub(_quoted_code, plain)[:_LONGEST_WORDS]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header (Mirakl sends whole seconds); None when absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 7 else None


def _success(operation: WriteOperation, answer: Answered, items: tuple[str, ...]) -> Outcome:
    if operation == "OR28":
        return Confirmed()  # read item by item by classify_refunds
    if operation not in ("OR04", "OR30", "OR43", "ST01", "ST06", "ST23", "ST24"):
        # Only the absence of an error can be checked: the documented answer is 204 with nothing in it.
        return _empty_success(answer)
    try:
        document = parsed(answer.body)
    except NotJson as wrong:
        return Unknown(f"answered {answer.status}, but the answer is {wrong.why}")
    if operation == "OR04":
        return _updated_orders(document, items)
    if operation == "OR43":
        return _thread(document)
    if operation in ("ST01", "ST06", "ST23", "ST24"):
        return _shipment(document, "order_id" if operation == "ST01" else "id", items)
    return _cancelations(document, items)


def _empty_success(answer: Answered) -> Outcome:
    if answer.status == 204 or not answer.body.strip():
        return Confirmed()
    try:
        document = parsed(answer.body)
    except NotJson as wrong:
        return Unknown(f"answered {answer.status}, but the answer is {wrong.why}")
    if isinstance(document, dict) and any(document.get(name) for name in ("errors", "error", "code")):
        return Unknown(f"answered {answer.status} with an error in the body")
    return Confirmed()


def _updated_orders(document: Any, items: tuple[str, ...]) -> Outcome:
    """OR04 answers 200 even when it refuses: each order carries its own `errors`."""
    found: dict[str, Any] = {}
    for entry in _objects(document, "updated_orders"):
        found[str(entry.get("order_id"))] = entry
    for order_id in items:
        if order_id not in found:
            return Unknown("answered 200, but the answer does not contain our order")
        errors = found[order_id].get("errors")
        if errors:
            return Refused(*_told({"errors": errors}, "ITEM_REFUSED"))
    return Confirmed()


def _cancelations(document: Any, items: tuple[str, ...]) -> Outcome:
    """OR30 lists what it created; each of our lines must be there with the new cancelation's id."""
    facts: dict[str, str] = {}
    for entry in _objects(document, "cancelations"):
        line_id, cancelation_id = entry.get("order_line_id"), entry.get("cancelation_id")
        if line_id is not None and cancelation_id not in (None, ""):
            facts[str(line_id)] = str(cancelation_id)
    if any(line_id not in facts for line_id in items):
        return Unknown("answered 200, but the answer does not contain all our lines")
    return Confirmed(tuple((f"cancelation_id:{line_id}", facts[line_id]) for line_id in items))


def _shipment(document: Any, name: str, items: tuple[str, ...]) -> Outcome:
    """The ST operations answer with success even when they refuse: each item stands among the successes or among the
    errors. Mirakl's own example of ST06 calls these lists `deletion_success` and `deletion_errors`."""
    (item,) = items
    refused = [*_objects(document, "shipment_errors"), *_objects(document, "deletion_errors")]
    for entry in refused:
        if str(entry.get(name)) == item:
            return Refused(*_told(entry, "ITEM_REFUSED"))
    done = [*_objects(document, "shipment_success"), *_objects(document, "deletion_success")]
    for entry in done:
        shipment_id = entry.get("id")
        if str(entry.get(name)) == item and isinstance(shipment_id, str) and shipment_id:
            return Confirmed((("shipment_id", shipment_id),))
    return Unknown("answered with success, but the answer does not contain our shipment")


def _thread(document: Any) -> Outcome:
    """OR43 answers with the ids of the thread and of its first message."""
    found = document if isinstance(document, dict) else {}
    ids = [(name, found.get(name)) for name in ("thread_id", "message_id")]
    if not all(isinstance(value, str) and value for _, value in ids):
        return Unknown("answered with success, but the answer does not name our message")
    return Confirmed(tuple((name, str(value)) for name, value in ids))


def _refunds(answer: Answered, wanted: tuple[tuple[str, Decimal, Decimal], ...]) -> Outcome:
    """OR28 echoes every refund it made; each of ours must be there with its line and its amounts."""
    try:
        document = parsed(answer.body)
    except NotJson as wrong:
        return Unknown(f"answered {answer.status}, but the answer is {wrong.why}")
    made = _objects(document, "refunds")
    facts: list[tuple[str, str]] = []
    for line_id, amount, shipping_amount in wanted:
        found = next(
            (
                entry
                for entry in made
                if entry.get("order_line_id") == line_id
                and entry.get("refund_id") not in (None, "")
                and _is_amount(entry.get("amount"), amount)
                and _is_amount(entry.get("shipping_amount"), shipping_amount)
            ),
            None,
        )
        if found is None:
            return Unknown("answered 200, but the answer does not contain all our refunds with their amounts")
        made.remove(found)
        facts.append((f"refund_id:{line_id}", str(found["refund_id"])))
    return Confirmed(tuple(facts))


def _is_amount(value: Any, wanted: Decimal) -> bool:
    """Whether a JSON number, or a text holding one, is this amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return False
    try:
        return Decimal(value) == wanted
    except InvalidOperation:
        return False


def _told(document: Any, otherwise: str) -> tuple[str, str]:
    if not isinstance(document, dict):
        return otherwise, ""
    errors = _objects(document, "errors")
    code = ""
    for source in (document, *errors):
        candidate = source.get("code")
        if isinstance(candidate, str | int) and _CODE.fullmatch(str(candidate)):
            code = str(candidate)
            break
    messages = [source.get("message") for source in (document, *errors)]
    message = "; ".join(text for text in messages if isinstance(text, str) and text.strip())
    if not code:
        code = next((known for known in KNOWN_CODES if re.search(rf"\b{known}\b", message)), otherwise)
    return code, told_words(message)


def _objects(document: Any, name: str) -> list[dict[str, Any]]:
    entries = document.get(name) if isinstance(document, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _quoted_code(match: re.Match[str]) -> str:
    value = match.group(2)
    is_code = _CODE.fullmatch(value) is not None and (
        value.upper() == value or any(c.isdigit() for c in value)
    )
    return match.group(0) if is_code else f"{match.group(1)}…{match.group(3)}"
