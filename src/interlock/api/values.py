"""What every route's parameters and answers have in common: texts that can be kept, pages of a list, versions."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from interlock.console.doors import row_number

T = TypeVar("T")

MOST_ON_A_PAGE = 200
LARGEST_ROW_ID = 10**18 - 1


def shown(text: str) -> str:
    """The text, if every character of it can be shown. Raises ValueError: control characters and halves of a pair
    can be neither kept nor shown."""
    if not text.isprintable():
        raise ValueError("it holds characters that cannot be shown")
    return text


def said(text: str) -> str:
    """Like `shown` for a text that must say something."""
    if not text.strip():
        raise ValueError("it is blank")
    return shown(text)


def shown_lines(text: str) -> str:
    """Like `shown` for a text of several lines."""
    shown("".join(text.splitlines()).replace("\t", ""))
    return text


def plain_digits(given: object) -> object:
    """The row number of an address, written in plain digits: as the gate reads it, and no `+7` or `7.0` besides. Raises
    ValueError."""
    if row_number(given) is None:
        raise ValueError("it is no row number in plain digits")
    return given


Number = Annotated[
    str,
    Path(description="Any number of the order: marketplace, Shopify, parcel or tracking.", max_length=200),
    AfterValidator(shown),
]
RowId = Annotated[int, Path(ge=1, le=LARGEST_ROW_ID), BeforeValidator(plain_digits)]
Filter = Annotated[str, Query(max_length=200), AfterValidator(shown)]
After = Annotated[
    str,
    Query(
        pattern=r"^([0-9]{1,18})?$",
        description="Where the page begins: `next` of the page before; empty for the first page.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="The most entries of a page.")]
Who = Annotated[
    StrictStr,
    Field(min_length=1, max_length=200, description="The person on whose word the program acts."),
    AfterValidator(said),
]
Why = Annotated[
    StrictStr,
    Field(min_length=1, max_length=500, description="The reason; it is kept and shown."),
    AfterValidator(said),
]


class Page(BaseModel, Generic[T]):
    """Part of a list, newest first where nothing else was asked for."""

    entries: list[T]
    next: str = Field(description="Give it as `after` for the next page; empty on the last one.")


class Answer(BaseModel):
    """An answer that is read from our own values."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """A body of a request: nothing is taken that is not named here."""

    model_config = ConfigDict(extra="forbid", strict=True)


def version_of(*parts: object) -> str:
    """The version of what is made of these parts: it changes when one of them does."""
    return hashlib.blake2b("\n".join(str(part) for part in parts).encode(), digest_size=12).hexdigest()


def page_of(entries: list[T], marks: Sequence[int | str], limit: int) -> Page[T]:
    """The page of the first `limit` entries; `marks` holds one more where there is a next page."""
    return Page(entries=entries, next=str(marks[limit - 1]) if len(marks) > limit else "")
