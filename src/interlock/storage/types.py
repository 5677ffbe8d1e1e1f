"""Column types that refuse what a column must never hold."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class NaiveDateTime(ValueError):
    """A date without a zone was about to be stored."""

    def __init__(self) -> None:
        super().__init__(
            "A date without a time zone was about to be stored; nobody could say which moment it means. "
            "Pass an aware datetime, as the clock port gives it."
        )


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored with its zone and always read back as aware UTC. Raises NaiveDateTime on a naive value."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveDateTime
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)
