"""JSON in which amounts stay exactly what they are."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.mirakl.exact import NotJson, NotWritable, parsed, written

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)


@given(AMOUNTS)
def test_a_decimal_survives_being_written_and_read(amount: Decimal) -> None:
    text = written({"amount": amount})
    back = parsed(text.encode())["amount"]
    assert not isinstance(back, float)
    assert Decimal(back) == amount
    assert "E" not in text.upper()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**9))
def test_digits_after_the_point_are_kept(amount: Decimal) -> None:
    assert str(parsed(written(amount).encode())) == str(amount)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS,
        lambda v: st.lists(v) | st.dictionaries(TEXTS, v),
    )
)
def test_everything_else_survives_too(value: object) -> None:
    assert parsed(written(value).encode()) == value


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), b"bytes", {"a": [0.5]}])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(NotWritable, match="Nothing was sent"):
        written(value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"  <html></html>", "an HTML or XML page, not JSON"),
        (b'{"orders": [{"order_id": "1', "incomplete or broken JSON (at character 25)"),
        (b'{"a": NaN}', "JSON with NaN, which is no number"),
        (b'{"a": "\xff"}', "not UTF-8 text"),
        (b"[" * 200_000, "nested too deeply"),
        (b"9" * 5_000, "JSON with a number of impossible size"),
        (b"1e99999999999999999999", "JSON with a number of impossible size"),
    ],
)
def test_a_body_that_is_no_json_is_named_for_what_it_is(body: bytes, why: str) -> None:
    with pytest.raises(NotJson) as caught:
        parsed(body)
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (rb'{"a": "x\u0000y"}', {"a": "x\ufffdy"}),
        (rb'{"a": "cut \ud83d"}', {"a": "cut \ufffd"}),
        (rb'{"a\udc00": [{"b": "\uDFFF"}]}', {"a\ufffd": [{"b": "\ufffd"}]}),
        (rb'{"a": "\ud83d\ude00"}', {"a": "\U0001f600"}),
        (rb'{"a": "\\u0000"}', {"a": "\\u0000"}),
    ],
)
def test_characters_that_cannot_be_kept_are_replaced(body: bytes, document: object) -> None:
    assert parsed(body) == document


def test_an_exponent_is_not_written_out_as_millions_of_digits() -> None:
    for text in ("1E+99999999", "1E-99999999"):
        assert written(Decimal(text)) == text
        assert parsed(text.encode()) == Decimal(text)
