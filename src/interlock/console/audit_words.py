"""What the audit log speaks of, in words: an entry keeps the address that was asked for, people read what was done there."""

import re

PLACES: tuple[tuple[str, str], ...] = (
    (r"/account/password", "own password"),
    (r"/account/sessions/\d+/end", "own session, ended"),
    (r"/account/sessions/end-others", "own other sessions, ended"),
    (r"/account/recovery-codes", "own recovery codes"),
    (r"/account/second-factor", "own second factor"),
    (r"/alerts/channels", "alert channels"),
    (r"/alerts/channels/(\d+)/remove", "alert channel {0}, removed"),
    (r"/alerts/channels/(\d+)/test", "alert channel {0}, tested"),
    (r"/alerts/routes", "alert routes"),
    (r"/alerts/routes/(\d+)/remove", "alert route {0}, removed"),
    (r"/alerts/(\d+)/acknowledge", "alert {0}, acknowledged"),
    (r"/audit-log(?:\.csv|/verify)?", "the audit log"),
    (r"/(?:v1/)?cases/(\d+)", "case {0}"),
    (r"/(?:v1/)?cases/(\d+)/answers?", "case {0}, answered"),
    (r"/cases/(\d+)/work", "case {0}, who works on it"),
    (r"/v1/cases/(\d+)/assignee", "case {0}, who works on it"),
    (r"/(?:v1/)?cases/(\d+)/snooze", "case {0}, put off"),
    (r"/(?:v1/)?cases/(\d+)/comments?", "case {0}, comment"),
    (r"/cases/(\d+)/replay", "case {0}, its orders looked at again"),
    (r"/connections/(\d+)/flows/pause", "a flow, paused"),
    (r"/connections/(\d+)/flows/resume", "a flow, resumed"),
    (r"/connections/\d+/carriers", "carrier map"),
    (r"/connections/\d+/skus", "SKU map"),
    (r"/connections/\d+/skus/bundle", "bundles"),
    (r"/connections/\d+/reasons", "reason codes"),
    (r"/connections/\d+/methods", "shipping methods"),
    (r"/connections/\d+/(\w+)/remove", "map of {0}, an entry removed"),
    (r"/connections/\d+/(\w+)/rollback", "map of {0}, taken back to an earlier state"),
    (r"/connections/\d+/(\w+)/file", "map of {0}, from a file"),
    (r"/connections/\d+/stock/zero", "stock, told as zero"),
    (r"/connections/\d+/stock/again", "stock, told again"),
    (r"/orders/(\d+)", "order no. {0}"),
    (r"/orders/(\d+)/replay", "order no. {0}, looked at again"),
    (r"/orders/(\d+)/edit-preview", "order no. {0}, preview of an edit"),
    (r"/orders/(\d+)/edit", "order no. {0}, edited"),
    (r"/orders/(\d+)/evidence", "order no. {0}, what the marketplace sent"),
    (r"/orders/(\d+)/link", "order no. {0}, another Shopify order linked"),
    (r"/orders/(\d+)/unlink", "order no. {0}, a Shopify order set apart"),
    (r"/orders/(\d+)/undo-link", "order no. {0}, a take-over taken back"),
    (r"/orders/(\d+)/create", "order no. {0}, created after all"),
    (r"/v1/orders/([^/]+)/edit", "order {0}, edited"),
    (r"/v1/label-check/override", "a label, printed against a no"),
    (r"/people", "people"),
    (r"/people/(\d+)(?:/\w+)*", "person no. {0}"),
    (r"/api-keys(?:/.*)?", "API keys"),
    (r"/privacy(?:/.*)?", "privacy requests"),
)
"""Addresses that entries keep, and what is there."""
_PATTERNS = tuple((re.compile(pattern), words) for pattern, words in PLACES)


def subject_in_words(subject: str) -> str:
    """What an entry is about; as it is kept where it is no address, or one that has no words here."""
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(subject):
            return words.format(*found.groups())
    return subject


def deed_in_words(did: str) -> str:
    """What was done, as people read it."""
    return did.replace("_", " ").replace("api key", "API key")
