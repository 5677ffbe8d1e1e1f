"""Tokens that open something, and the digests that are kept in their place."""

import base64
import hashlib
import hmac

from interlock.clock import system_random


def new_token() -> str:
    """256 random bits as 43 characters that fit into an address or a cookie."""
    return base64.urlsafe_b64encode(system_random().randbytes(32)).decode().rstrip("=")


def digest_of(token: str) -> str:
    """The digest of a token. A token has 256 random bits, so a plain digest is as good as a slow one."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_digest(key: bytes, purpose: str, value: str) -> str:
    """The digest of something that could be guessed, such as an address, under the installation's key."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()
