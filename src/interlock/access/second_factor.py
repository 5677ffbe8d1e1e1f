"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when the app is gone."""

import base64
import hmac
import io
from datetime import datetime

import pyotp
import segno

from interlock.clock import system_random

STEP_SECONDS = 30
STEPS_AROUND = 1
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """160 random bits in base 32, as authenticator apps take them."""
    return base64.b32encode(system_random().randbytes(20)).decode()


def accepted_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step that the code belongs to; None when it is wrong, a minute off, or of a step that was used.

    Each step is accepted once: whoever saw a code being typed cannot use it again.
    """
    given = "".join(code.split())
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        right = (
            hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), given) if given.isascii() else False
        )
        if right and step > last_step:
            found = step
    return found


def address_for_apps(secret: str, handle: str, place: str) -> str:
    """What an authenticator app reads from the picture; `place` tells several installations apart."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name=f"Interlock {place}".strip())


def picture(address: str) -> bytes:
    """The address as a QR code: an SVG document without style or script."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
    return drawn.getvalue()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 50 random bits, to be written down; each opens the account once."""
    rng = system_random()
    return tuple(
        "-".join("".join(rng.choice(_ALPHABET) for _ in range(5)) for _ in range(2))
        for _ in range(RECOVERY_CODES)
    )


def as_typed(code: str) -> str:
    """A recovery code as it is compared: without blanks and dashes, in small letters."""
    return "".join(sign for sign in code.lower() if sign.isalnum())
