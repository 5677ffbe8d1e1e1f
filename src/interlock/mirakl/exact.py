"""JSON in which every decimal stays exactly what was written, in both directions."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from interlock.storage.text import storable_document

# Fourteen bytes such as 1e99999999 would be a hundred megabytes as a plain number.
_LARGEST_PLAIN = 60


class NotJson(ValueError):
    """A body is not the JSON document it should be. `why` completes the sentence "The answer is …"."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The answer is {why}.")
        self.why = why


class NotWritable(TypeError):
    """A value has no exact JSON form."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"A {what} cannot be written as exact JSON; amounts are Decimal and finite. Nothing was sent."
        )


def parsed(body: bytes) -> Any:
    """The document in `body`; numbers with a fraction or exponent become Decimal, and characters that cannot be kept
    U+FFFD. Raises NotJson."""
    if not body.strip():
        raise NotJson("empty")
    if body.lstrip()[:1] == b"<":
        raise NotJson("an HTML or XML page, not JSON")
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
        return storable_document(document, body)
    except UnicodeDecodeError as wrong:
        raise NotJson("not UTF-8 text") from wrong
    except json.JSONDecodeError as wrong:
        raise NotJson(f"incomplete or broken JSON (at character {wrong.pos})") from wrong
    except RecursionError as wrong:
        raise NotJson("nested too deeply") from wrong
    except NotJson:
        raise
    except (ValueError, ArithmeticError) as wrong:
        raise NotJson("JSON with a number of impossible size") from wrong


def written(value: Any) -> str:
    """Compact JSON text; a Decimal is written as a plain number with all its digits, or with its exponent where that is no
    amount of anything. Raises NotWritable."""
    if value is None or isinstance(value, bool | str | int):
        return json.dumps(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotWritable("number that is infinite or none")
        return format(value, "f") if abs(value.adjusted()) <= _LARGEST_PLAIN else str(value)
    if isinstance(value, Mapping):
        return (
            "{" + ",".join(f"{json.dumps(str(name))}:{written(item)}" for name, item in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(written(item) for item in value) + "]"
    raise NotWritable(type(value).__name__)


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"JSON with {name}, which is no number")
