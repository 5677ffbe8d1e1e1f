"""Which characters a text can be kept with: JSON can escape two kinds that neither UTF-8 nor PostgreSQL can hold."""

import re
from typing import Any

# NUL, and halves of a surrogate pair: a title that was cut in the middle of an emoji ends with one (RFC 8259, 8.2).
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# What a JSON document without any such character never contains.
_MAY_HAVE_SOME = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def storable(text: str) -> str:
    """The text with U+FFFD for each character that cannot be kept, as every decoder does with bytes that are no text."""
    return _NOT_KEPT.sub(REPLACEMENT, text)


def storable_document(document: Any, body: bytes) -> Any:
    """A JSON document that was parsed from `body`, with the same done to every name and text in it."""
    return _storable(document) if _MAY_HAVE_SOME.search(body) else document


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
