"""The search behind `query:` arguments: laggy, tokenised, and silent about filters it does not know (reference 1.16)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<not>-|NOT\s)|(?P<word>OR|AND)(?=\s|$|\()
    |(?:(?P<field>[A-Za-z_][\w.$-]*):)?(?P<op>>=|<=|>|<)?(?P<value>"[^"]*"|'[^']*'|[^\s()]+))""",
    re.VERBOSE,
)
_WORDS = re.compile(r"[0-9a-z]+")

Test = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Warned:
    """A term that was dropped, which widens the result (reference 4.4, 15.11)."""

    field: str
    message: str
    code: str


@dataclass
class Query:
    """A parsed query: whether an indexed document matches, and what was ignored."""

    text: str
    matches: Test
    warnings: list[Warned]


def parse(text: str | None, fields: dict[str, str]) -> Query:
    """`fields` maps a known filter to its kind: text, exact, tag, time, number, bool, status."""
    warnings: list[Warned] = []
    if not text or not text.strip():
        return Query(text or "", lambda _doc: True, warnings)
    tokens = [match for match in _TOKEN.finditer(text) if match.group().strip()]
    position = 0

    def peek(group: str) -> str | None:
        return tokens[position].group(group) if position < len(tokens) else None

    def any_of() -> Test:
        nonlocal position
        tests = [all_of()]
        while peek("word") == "OR":
            position += 1
            tests.append(all_of())
        return tests[0] if len(tests) == 1 else lambda doc: any(test(doc) for test in tests)

    def all_of() -> Test:
        nonlocal position
        tests: list[Test] = []
        while position < len(tokens) and not peek("close") and peek("word") != "OR":
            if peek("word") == "AND":
                position += 1
                continue
            tests.append(one())
        return lambda doc: all(test(doc) for test in tests)

    def one() -> Test:
        nonlocal position
        token = tokens[position]
        position += 1
        if token.group("not"):
            inner = one()
            return lambda doc: not inner(doc)
        if token.group("open"):
            inner = any_of()
            if peek("close"):
                position += 1
            return inner
        return _term(token, fields, warnings)

    return Query(text, any_of(), warnings)


def _term(token: re.Match[str], fields: dict[str, str], warnings: list[Warned]) -> Test:
    field, operator, raw = token.group("field"), token.group("op") or "", token.group("value")
    quoted = raw[0] in "\"'"
    value = raw[1:-1] if quoted else raw
    if field is None:
        words = _WORDS.findall(value.casefold())
        return lambda doc: _contains(
            " ".join(str(item) for item in doc.values() if isinstance(item, str)), words
        )
    kind = fields.get(field)
    if kind is None:
        warnings.append(Warned(field, f"Invalid search field for this query: {field}.", "invalid_field"))
        return lambda _doc: True
    if kind == "time":
        if not quoted and ":" in value:
            warnings.append(Warned(field, f"Input `{value}` is not an accepted value.", "invalid_value"))
            return lambda _doc: True
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            warnings.append(Warned(field, f"Input `{value}` is not an accepted value.", "invalid_value"))
            return lambda _doc: True
        moment = at if at.tzinfo else datetime.fromisoformat(value + "T00:00:00+00:00")
        return lambda doc: doc.get(field) is not None and _compare(doc[field], operator, moment)
    if kind == "number":
        if not value.isdigit():
            return lambda _doc: False  # a gid never matches (reference 15.11)
        return lambda doc: _compare(doc[field], operator, int(value))
    if kind == "bool":
        return lambda doc: doc[field] is (value.casefold() == "true")
    if kind == "status":
        return lambda doc: value.casefold() in doc[field]
    if kind == "tag":
        wanted = value.casefold()
        return lambda doc: any(item.casefold() == wanted for item in doc[field])
    if kind == "exact":
        wanted = value.casefold()
        return lambda doc: (doc[field] or "").casefold() == wanted
    words = _WORDS.findall(value.casefold())
    return lambda doc: _contains(doc[field], words)


def _compare(have: Any, operator: str, want: Any) -> bool:
    match operator:
        case ">=":
            return bool(have >= want)
        case "<=":
            return bool(have <= want)
        case ">":
            return bool(have > want)
        case "<":
            return bool(have < want)
        case _:
            return bool(have == want)


def _contains(text: str | None, words: list[str]) -> bool:
    """Tokenised: `12345-A` also finds `12345-A-1`."""
    if not text or not words:
        return False
    have = _WORDS.findall(text.casefold())
    return any(have[start : start + len(words)] == words for start in range(len(have) - len(words) + 1))
