"""Which marketplace addresses a key may be sent to."""

import pytest

from interlock.mirakl.account import KeyUnusable, MiraklAccount, OriginRefused, check_origin


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://brand-prod.mirakl.net", "https://brand-prod.mirakl.net"),
        (" https://Brand-Prod.Mirakl.net/api/ ", "https://brand-prod.mirakl.net"),
        ("https://brand.mirakl.net/api", "https://brand.mirakl.net"),
        ("https://brand.mirakl.net:443/", "https://brand.mirakl.net"),
        ("https://brand.mirakl.net:8443", "https://brand.mirakl.net:8443"),
    ],
)
def test_an_address_is_brought_to_its_plain_form(given: str, origin: str) -> None:
    assert check_origin(given, allow_loopback_http=False) == origin


@pytest.mark.parametrize("given", ["http://127.0.0.1:8101/api", "http://localhost:8101", "http://[::1]:8101"])
def test_this_machine_is_allowed_only_with_the_switch(given: str) -> None:
    assert check_origin(given, allow_loopback_http=True) == given.removesuffix("/api")
    with pytest.raises(OriginRefused, match="points to this machine"):
        check_origin(given, allow_loopback_http=False)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("", "empty"),
        ("brand.mirakl.net", "does not begin with https"),
        ("ftp://brand.mirakl.net", "does not begin with https"),
        ("http://brand.mirakl.net", "plain http"),
        ("https://", "names no host"),
        ("https://user:secret@brand.mirakl.net", "user name or password"),
        ("https://brand.mirakl.net@evil.example", "user name or password"),
        ("https://brand.mirakl.net\\@evil.example", "backslashes"),
        ("https://brand.mirakl.net/api/orders", "a path other than /api"),
        ("https://brand.mirakl.net/?x=1", "a query"),
        ("https://brand.mirakl.net:port", "cannot be read"),
        ("https://brand_mirakl.net", "plain host name"),
        ("https://bränd.mirakl.net", "plain host name"),
        ("https://127.1", "plain host name"),
        ("https://2130706433", "plain host name"),
        ("https://0x7f000001", "plain host name"),
        ("https://10.1.2.3", "private network"),
        ("https://169.254.169.254", "private network"),
        ("https://[fd00::1]", "private network"),
    ],
)
def test_an_address_that_keys_must_not_reach_is_refused_by_name(given: str, what: str) -> None:
    with pytest.raises(OriginRefused, match=what) as caught:
        check_origin(given, allow_loopback_http=True)
    assert "secret" not in str(caught.value)


def test_an_account_never_shows_its_key() -> None:
    account = MiraklAccount("https://brand.mirakl.net", "very-secret", "7")
    assert "very-secret" not in repr(account)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "clé"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key: str) -> None:
    with pytest.raises(KeyUnusable):
        MiraklAccount("https://brand.mirakl.net", key, "7")
