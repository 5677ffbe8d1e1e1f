"""What a database that cannot be used says of itself, in words that hold neither its address nor a password."""

import re
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the database, and what to do; `passes` where it may be over by itself, so that waiting helps."""

    what: str
    to_do: str
    passes: bool = True


class DatabaseRefused(Exception):
    """The database will not let us in however long we wait."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"{trouble.what} Nothing was started. {trouble.to_do}")


AWAY = Trouble(
    "The database does not answer.",
    "Check INTERLOCK_DATABASE_URL and whether its server runs; of the embedded one the log postgres.log in the data folder.",
)
_CREDENTIALS = Trouble(
    "The database refused the user or the password.",
    "Put both right in INTERLOCK_DATABASE_URL, or let this user in from this machine (pg_hba.conf).",
    passes=False,
)
_MISSING = Trouble(
    "The server answers, but has no database of that name.",
    "Put the name right in INTERLOCK_DATABASE_URL, or create the database.",
    passes=False,
)
_STARTING = Trouble(
    "The database is starting or being shut down.", "Wait until it is up; its own log says how far it is."
)
_OF_STATE = {
    "28": _CREDENTIALS,
    "3D000": _MISSING,
    "40": Trouble("Another transaction was in the way (a deadlock).", "Do it once more."),
    "53100": Trouble(
        "The disk of the database is full.", "Make room on it; nothing can be written until then."
    ),
    "53200": Trouble("The database has no memory left.", "Give its server more, or have it do less."),
    "53300": Trouble(
        "The database takes no more connections.",
        "Raise max_connections, or stop programs that hold some.",
    ),
    "55P03": Trouble(
        "The database waited too long for a row that somebody else is changing.",
        "Do it once more in a moment.",
    ),
    "57014": Trouble(
        "The database ended a statement that took too long.",
        "It is overloaded, or something holds it up: look at what runs there, then do it once more.",
    ),
    "57P": _STARTING,
    "58": Trouble("The machine of the database failed it.", "Its own log says how; look at its disk first."),
}
"""By SQLSTATE or its class (PostgreSQL, appendix A)."""

# While a connection is being made libpq passes on the server's sentence without its SQLSTATE: these are the English ones.
_SAID = (
    (
        re.compile(r'password authentication failed|no password supplied|role ".*" does not exist'),
        _CREDENTIALS,
    ),
    (re.compile(r"pg_hba\.conf|authentication failed"), _CREDENTIALS),
    (re.compile(r'database ".*" does not exist'), _MISSING),
    (re.compile(r"is (starting up|shutting down)|recovery"), _STARTING),
    (re.compile(r"too many (clients|connections)|remaining connection slots"), _OF_STATE["53300"]),
    (
        re.compile(r"failed to resolve host|could not translate host name"),
        Trouble(
            "The host of the database has no address.",
            "Put it right in INTERLOCK_DATABASE_URL, or look at the name server.",
        ),
    ),
)


def trouble_of(error: BaseException) -> Trouble:
    """What an operational error of the database means. Whatever is not known is a database that does not answer."""
    cause = error.orig if isinstance(error, DBAPIError) else error.__cause__ or error
    state = getattr(cause, "sqlstate", None) or ""
    for length in (5, 3, 2):
        if len(state) == 5 and state[:length] in _OF_STATE:
            return _OF_STATE[state[:length]]
    if not state:
        for pattern, trouble in _SAID:
            if pattern.search(str(cause)):
                return trouble
    return AWAY
