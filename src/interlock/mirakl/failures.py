"""What becomes of a read of a marketplace that gave nothing to go by."""

import hashlib
from typing import Literal


class ReadError(Exception):
    """A read gave nothing that can be used. Its three kinds say whether asking again helps."""


class ReadUnavailable(ReadError):
    """The marketplace could not answer now; asking again later helps. `retry_after` in seconds where known;
    `too_many_calls` says that the marketplace refused the call for load (HTTP 429)."""

    def __init__(
        self, operation: str, why: str, retry_after: float | None = None, too_many_calls: bool = False
    ) -> None:
        self.operation = operation
        self.why = why
        self.retry_after = retry_after
        self.too_many_calls = too_many_calls
        when = "later" if retry_after is None else f"in {retry_after:g} s"
        super().__init__(f"{operation} could not be read: {why}. Nothing changed; it is read again {when}.")


class ReadRefused(ReadError):
    """The marketplace said no. `words` are its own, without personal data."""

    def __init__(self, operation: str, status: int, words: str) -> None:
        self.operation = operation
        self.status = status
        self.words = words
        meaning = {
            401: "the API key is not accepted; give the connection a valid key",
            403: "the key's role does not allow this operation; ask the marketplace for the role",
            404: "the marketplace does not offer this operation, or the address is not a marketplace's",
        }.get(status, "check the connection's address and settings")
        if 300 <= status < 400:
            meaning = (
                "it points to another address, which is never followed; correct the connection's address"
            )
        said = f' It said: "{words}".' if words else ""
        super().__init__(f"{operation} was refused with status {status}: {meaning}.{said}")


def trouble_of(failed: ReadError) -> Literal["credential_refused", "scope_missing", "unreachable"]:
    """What a person has to put right: a key that is not accepted (401), a role that lacks the operation (403)."""
    if isinstance(failed, ReadRefused) and failed.status == 401:
        return "credential_refused"
    if isinstance(failed, ReadRefused) and failed.status == 403:
        return "scope_missing"
    return "unreachable"


class ReadUnreadable(ReadError):
    """The marketplace answered with something that is not the documented answer.

    `body_hash` (sha256) identifies the answer without showing it; `body` is for an encrypted store alone and is
    part of no sentence.
    """

    def __init__(self, operation: str, why: str, body: bytes) -> None:
        self.operation = operation
        self.why = why
        self.body = body
        self.body_hash = hashlib.sha256(body).hexdigest()
        super().__init__(
            f"The answer to {operation} cannot be read: it is {why} (sha256 {self.body_hash[:16]}). "
            "Nothing was taken from it; it is read again, and if it stays so an engineer has to look."
        )
