"""Which characters a text can be kept with: JSON can escape two kinds that neither UTF-8 nor PostgreSQL can hold."""

import re
from typing import Any

# NUL, and halves of a surrogate pair: a title that was cut in the middle of an emoji ends with one (RFC 8259, 8.2).
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MAY_HAVE_SOME = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""What a JSON document without any such character never contains."""


def storable(text: str) -> str:
    """The text with U+FFFD for each character that cannot be kept, as every decoder does with bytes that are no text."""
    return _NOT_KEPT.sub(REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """Whether the text can be kept as it is."""
    return _NOT_KEPT.search(text) is None


def storable_document(value: Any) -> Any:
    """A parsed JSON document with the same done to every name and text in it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): storable_document(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable_document(item) for item in value]
    return value
