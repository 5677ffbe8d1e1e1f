"""Values of the rooms as JSON and back: exact decimals, aware moments, and a tag on every dataclass of a union.

A stored value keeps only the fields that differ from their defaults, so that a field added later is simply absent
in old rows.
"""

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
TAG = "_"


class CannotDecode(ValueError):
    """A stored value does not fit the type it should have."""

    def __init__(self, where: str, found: object) -> None:
        super().__init__(
            f"A stored value of {where} cannot be read: found {type(found).__name__}. "
            "It was written by a newer version or changed by hand; nothing was overwritten."
        )


def encode(value: Any) -> Any:
    """Plain JSON data (dict, list, str, int, bool, None) for a value made of dataclasses, tuples and scalars."""
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if dataclasses.is_dataclass(value):
        encoded: dict[str, Any] = {TAG: type(value).__name__}
        kind: Any = type(value)
        for name, default in _defaults(kind):
            item = getattr(value, name)
            if item != default or type(item) is not type(default):
                encoded[name] = encode(item)
        return encoded
    raise TypeError(f"{type(value).__name__} has no JSON form here.")


def decode(kind: type[T], data: Any) -> T:
    """The value of type `kind` that `encode` made `data` from. Raises CannotDecode."""
    result: T = _decoder_of(kind)(data)
    return result


_NOTHING = object()


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (
            field.name,
            field.default_factory()
            if field.default_factory is not dataclasses.MISSING
            else (field.default if field.default is not dataclasses.MISSING else _NOTHING),
        )
        for field in dataclasses.fields(kind)
    )


def _decoder_of(kind: Any) -> Callable[[Any], Any]:
    return _decoder(kind)


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin = get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(get_args(kind))
    if origin is tuple:
        return _tuple_decoder(get_args(kind))
    if origin is typing.Literal or kind in (str, int, bool):
        return lambda data: data
    if kind is Decimal:
        return Decimal
    if kind is datetime:
        return datetime.fromisoformat
    if kind is timedelta:
        return lambda data: timedelta(seconds=float(data))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    raise TypeError(f"{kind} has no JSON form here.")


def _tuple_decoder(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    if len(args) == 2 and args[1] is Ellipsis:
        each = _decoder(args[0])
        return lambda data: tuple([each(item) for item in data])
    parts = [_decoder(arg) for arg in args]
    return lambda data: tuple([part(item) for part, item in zip(parts, data, strict=True)])


def _union_decoder(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    classes: dict[str, Any] = {
        str(getattr(arg, "__name__", "")): arg for arg in args if dataclasses.is_dataclass(arg)
    }
    plain = [arg for arg in args if arg is not type(None) and not dataclasses.is_dataclass(arg)]

    def read(data: Any) -> Any:
        if data is None:
            return None
        if isinstance(data, dict):
            found = classes.get(data.get(TAG, ""))
            if found is None:
                raise CannotDecode(" | ".join(sorted(classes)), data)
            return _decoder(found)(data)
        # a union of one scalar and None, or of Literal and str
        return _decoder(plain[0])(data)

    return read


def _dataclass_decoder(kind: Any) -> Callable[[Any], Any]:
    decoders: dict[str, Callable[[Any], Any]] = {}

    def read(data: Any) -> Any:
        if not isinstance(data, dict) or data.get(TAG) != kind.__name__:
            raise CannotDecode(kind.__name__, data)
        if not decoders:
            hints = get_type_hints(kind)
            decoders.update({f.name: _decoder(hints[f.name]) for f in dataclasses.fields(kind)})
        return kind(**{name: decoders[name](item) for name, item in data.items() if name in decoders})

    return read
