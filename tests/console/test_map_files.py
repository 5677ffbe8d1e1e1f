"""Files of mappings: what is taken, and how a wrong one is named."""

import pytest

from interlock.console.desk import (
    LARGEST_FILE_BYTES,
    MOST_WRONG_ROWS,
    MapRefused,
    read_carrier_file,
    read_sku_file,
)
from interlock.console.export import csv_bytes
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import CarrierMapping
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import connect


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.mark.parametrize(
    "body",
    [
        b"mirakl_sku,shop_sku\nA,B\n",
        b"\xef\xbb\xbfmirakl_sku;shop_sku\r\n\r\n A ; B \r\n",
        b"SHOP_SKU\tMIRAKL_SKU\nB\tA\n",
        b'shop_sku,mirakl_sku\n"B","A"',
        b"sep=;\r\nmirakl_sku;shop_sku\r\nA;B\r\n",
    ],
)
def test_a_file_is_read_however_a_spreadsheet_wrote_it(body: bytes) -> None:
    assert read_sku_file("skus.csv", body) == (("A", "B"),)


@pytest.mark.parametrize(
    ("body", "row", "field"),
    [
        (b"mirakl_sku\nA\n", 1, "shop_sku"),
        (b"mirakl_sku,shop_sku,price\nA,B,1\n", 1, "price"),
        (b"mirakl_sku,shop_sku,shop_sku\nA,B,C\n", 1, "shop_sku"),
        (b"mirakl_sku,shop_sku\nA,B\nC\n", 3, "shop_sku"),
        (b"mirakl_sku,shop_sku\nA,B,C\n", 2, "shop_sku"),
        (b"mirakl_sku,shop_sku\n\nA,\n", 3, "shop_sku"),
        (b"mirakl_sku,shop_sku\n,B\n", 2, "mirakl_sku"),
        (b"mirakl_sku,shop_sku\nA,B\nA,C\n", 3, "mirakl_sku"),
        (b"mirakl_sku,shop_sku\nA," + b"x" * 201 + b"\n", 2, "shop_sku"),
        (b"mirakl_sku,shop_sku\nA,B\x07\n", 2, "shop_sku"),
        (b"mirakl_sku,shop_sku\nA,\xff\n", 2, ""),
        (b"PK\x03\x04\x14\x00\x06\x00\n\xff", 0, ""),
        (b"sep=;\nmirakl_sku;shop_sku\nA;B;C\n", 3, "shop_sku"),
        ("mirakl_sku,shop_sku\nA,B\nC,M\u00fctze\n".encode("latin-1"), 3, ""),
        (b"\xff\xfem\x00i", 1, ""),
        (b"mirakl_sku,shop_sku\nA,=1+1\n", 2, "shop_sku"),
        (b"mirakl_sku,shop_sku\nA,B\n@SUM(A1),C\n", 3, "mirakl_sku"),
        ("mirakl_sku,shop_sku\nA,\u200e=1\n".encode(), 2, "shop_sku"),
        (b"mirakl_sku,shop_sku\n" + b"".join(b"%d,B\n" % n for n in range(100_000)), 20002, ""),
        (b'mirakl_sku,shop_sku\nA,"B\n', 2, ""),
        (b"", 0, ""),
        (b"mirakl_sku,shop_sku\n", 0, ""),
        (b"x" * (LARGEST_FILE_BYTES + 1), 0, ""),
    ],
)
def test_a_wrong_file_is_named_by_file_row_and_field(body: bytes, row: int, field: str) -> None:
    with pytest.raises(MapRefused) as refused:
        read_sku_file("skus.csv", body)

    assert (refused.value.file, refused.value.row, refused.value.field) == ("skus.csv", row, field)
    assert "skus.csv" in str(refused.value)
    assert "taken" in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_spreadsheets_own_encodings_are_read(encoding: str) -> None:
    body = "mirakl_sku\tshop_sku\nM\u00fctze\tM-1\n".encode(encoding)

    assert read_sku_file("skus.csv", body) == (("M\u00fctze", "M-1"),)


@pytest.mark.parametrize("begins", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_workbook_is_called_one(begins: bytes) -> None:
    with pytest.raises(MapRefused, match=r"skus\.xlsx: it is a workbook .* Save it as CSV"):
        read_sku_file("skus.xlsx", begins + b"\x00\xff" * 40)


def test_a_name_that_begins_like_a_formula_comes_back_as_it_went_out() -> None:
    body = csv_bytes([("mirakl_sku", "shop_sku"), ("-10-BLUE", "+A"), ("'quoted", "B")])

    assert read_sku_file("skus.csv", body) == (("-10-BLUE", "+A"), ("'quoted", "B"))


def test_carriers_are_checked_against_the_marketplaces_own_list(connection: ConnectionRow) -> None:
    good = read_carrier_file(connection, "c.csv", b"shop_name,code,name\nRoyal Mail 24,RM24,\n")
    assert good == (CarrierMapping("Royal Mail 24", "RM24", ""),)

    with pytest.raises(MapRefused, match=r"row 2, field code: 'rm24' is not a carrier.*Did you mean RM24"):
        read_carrier_file(connection, "c.csv", b"shop_name,code\nRoyal Mail 24,rm24\n")
    with pytest.raises(
        MapRefused, match="row 2, field name: This marketplace takes only carriers of its own"
    ):
        read_carrier_file(connection, "c.csv", b"shop_name,name\nRoyal Mail 24,Royal Mail\n")
    with pytest.raises(MapRefused, match="row 3, field shop_name: It is the same as in row 2"):
        read_carrier_file(connection, "c.csv", b"shop_name,code\nDPD,DPD\ndpd,RM24\n")


def test_every_wrong_row_is_named_in_one_go(connection: ConnectionRow) -> None:
    body = b"shop_name,code\nRoyal Mail 24,RM24\nDPD,NOPE\n=1+1,DPD\nPost,DPD,x\nroyal mail 24,DPD\n,DPD\n"

    with pytest.raises(MapRefused) as refused:
        read_carrier_file(connection, "c.csv", body)

    said = str(refused.value).split("\n")
    assert said[0] == "c.csv: 5 rows are wrong."
    assert [line.partition(":")[0] for line in said[1:-1]] == [
        "row 3, field code",
        "row 4, field shop_name",
        "row 5, field code",
        "row 6, field shop_name",
        "row 7, field shop_name",
    ]
    assert said[-1] == "Nothing of the file was taken; correct the rows and give it again."
    assert (refused.value.row, refused.value.field) == (3, "code")


def test_more_wrong_rows_than_a_person_reads_are_counted() -> None:
    body = b"mirakl_sku,shop_sku\n" + b"".join(b"%d,\n" % n for n in range(150))

    with pytest.raises(MapRefused) as refused:
        read_sku_file("skus.csv", body)

    said = str(refused.value).split("\n")
    assert said[0] == "skus.csv: 150 rows are wrong."
    assert said[-2] == f"And {150 - MOST_WRONG_ROWS} more."
    assert len(said) == MOST_WRONG_ROWS + 3


def test_a_file_that_breaks_off_names_the_wrong_rows_before_too() -> None:
    with pytest.raises(MapRefused, match=r"row 2, field shop_sku(.|\n)*row 3: It is not CSV"):
        read_sku_file("skus.csv", b'mirakl_sku,shop_sku\nA,\nB,"C\n')
