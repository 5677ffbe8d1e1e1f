"""Passwords that others would guess are refused, and the sentence never repeats them."""

import pytest

from interlock.access.passwords import LONGEST, PasswordTooWeak, check_password
from tests.effort import calls_made

HANDLE = "ada.lovelace"


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword1",
        "Password1234567890",
        "p4ssw0rdp4ssw0rd!",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "abcdefghijklmnop",
        "trustno1trustno1",
        "manchesterunited1",
        "liverpoolfcforever",
        "31.12.1999 31.12.1999",
        "interlock-ada-2026",
        "shopify mirakl 2026",
        "AdaLovelace AdaLovelace",
        "x" * LONGEST,
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak, match="tried first") as refused:
        check_password(password, HANDLE)

    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["short", "x" * (LONGEST + 1)])
def test_length_is_said_as_such(password: str) -> None:
    with pytest.raises(PasswordTooWeak, match="than"):
        check_password(password, HANDLE)


@pytest.mark.parametrize(
    "password",
    [
        "an owl reads by lamplight",
        "correct horse battery staple",
        "vier gelbe Tassen im Schrank",
        "на столе стоит синяя лампа",
        "kD9#vLq2!tWz8xRm",
    ],
)
def test_some_words_of_ones_own_are_enough(password: str) -> None:
    check_password(password, HANDLE)


def test_a_long_password_is_judged_at_once() -> None:
    _, made = calls_made(lambda: check_password("aZ3$" + "lamplight owl reads by " * 8, HANDLE))

    assert made < 200_000
