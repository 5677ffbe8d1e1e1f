"""Strangers at the webhook door of a rehearsal: deliveries that nobody should believe, each just before a true one."""

import base64
import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass

from interlock.rehearsal.judging.evidence import Forged

SHARE = 0.25
"""The share of histories with strangers."""
OFTEN = 0.2
"""How many of the true deliveries they come before, where they are."""
ANSWERED = {"signature": 401, "foreign_shop": 403, "unknown_topic": 422, "unreadable": 422}
"""What each kind must be answered, by what is wrong with it."""


def are_busy(seed: int) -> bool:
    """Whether strangers come to the door in this history."""
    return random.Random(f"{seed}:forgers").random() < SHARE


@dataclass
class Forger:
    """Makes wrong deliveries out of true ones, from a stream of its own. It is asked for each true delivery and starts no
    task, so that what else happens in a history stays as it is."""

    rng: random.Random
    busy: bool
    made: int = 0

    def before(self, headers: Mapping[str, str], body: bytes, secret: str) -> "Delivery | None":
        """A wrong delivery that comes just before this true one; mostly none. `headers` have small names."""
        if not self.busy or self.rng.random() >= OFTEN:
            return None
        kind = self.rng.choice(sorted(ANSWERED))
        self.made += 1
        made = {**headers, "x-shopify-webhook-id": f"forged-{self.made}"}
        match kind:
            case "signature":
                made["x-shopify-hmac-sha256"] = self.rng.choice((signed(body, "guessed"), "", "no base64"))
            case "foreign_shop":
                made["x-shopify-shop-domain"] = "another-shop.myshopify.com"
            case "unknown_topic":
                made["x-shopify-topic"] = "customers/deleted_at_last"
            case "unreadable":
                body = self.rng.choice((b"<html>a proxy says no</html>", b"[]", body[: len(body) // 2]))
                made["x-shopify-hmac-sha256"] = signed(body, secret)
            case _:
                raise AssertionError(kind)
        return Delivery(kind, made, body)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A wrong delivery: what is wrong with it, its headers and its body."""

    kind: str
    headers: dict[str, str]
    body: bytes

    def answered(self, status: int) -> Forged:
        """What the judge is shown of it."""
        return Forged(self.kind, self.headers["x-shopify-webhook-id"], ANSWERED[self.kind], status)


def signed(body: bytes, secret: str) -> str:
    """The signature Shopify would put on a body (Shopify reference, webhooks: HMAC-SHA256 of the raw body, in base64)."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
