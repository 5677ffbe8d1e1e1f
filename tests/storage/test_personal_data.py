"""Personal data: declared on its column, encrypted, and listed on one page."""

from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from interlock.storage.personal_data import ColumnUndeclared, page, personal

DECLARED = personal(purpose="to send the parcel", retention="90 days after the order ended")


def table_with(kind: TypeEngine[Any], info: dict[str, Any]) -> MetaData:
    metadata = MetaData()
    Table("parcels", metadata, Column("address", kind, info=info), Column("weight", Text))
    return metadata


def test_a_declared_column_is_on_the_page_with_purpose_and_retention() -> None:
    text = page(table_with(LargeBinary(), DECLARED))

    assert "| parcels | address | to send the parcel | 90 days after the order ended |" in text
    assert "weight" not in text


@pytest.mark.parametrize(
    ("kind", "info"),
    [
        (Text(), DECLARED),
        (LargeBinary(), {}),
        (LargeBinary(), personal(purpose=" ", retention="7 days")),
        (LargeBinary(), personal(purpose="to send the parcel", retention="")),
        (LargeBinary(), {"personal": {"purpose": "to send the parcel"}}),
    ],
    ids=["readable", "undeclared", "no purpose", "no retention", "retention missing"],
)
def test_a_column_whose_declaration_is_wrong_is_refused_by_name(
    kind: TypeEngine[Any], info: dict[str, Any]
) -> None:
    with pytest.raises(ColumnUndeclared, match=r"parcels\.address"):
        page(table_with(kind, info))
