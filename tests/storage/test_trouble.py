"""What is wrong with a database is said by its SQLSTATE or, while connecting, by the server's own sentence."""

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from interlock.storage.database import Database
from interlock.storage.trouble import trouble_of

SECRET = "pa55word"


@pytest.mark.parametrize(
    ("said", "what", "passes"),
    [
        (errors.InvalidPassword(), "refused the user or the password", False),
        (errors.InvalidAuthorizationSpecification(), "refused the user or the password", False),
        (errors.InvalidCatalogName(), "no database of that name", False),
        (errors.DiskFull(), "disk of the database is full", True),
        (errors.TooManyConnections(), "no more connections", True),
        (errors.QueryCanceled(), "took too long", True),
        (errors.LockNotAvailable(), "waited too long for a row", True),
        (errors.DeadlockDetected(), "a deadlock", True),
        (errors.CannotConnectNow(), "starting or being shut down", True),
        (errors.AdminShutdown(), "starting or being shut down", True),
        (errors.ConnectionFailure(), "does not answer", True),
        ('FATAL:  password authentication failed for user "pa55word"', "refused the user", False),
        ("fe_sendauth: no password supplied", "refused the user", False),
        ('FATAL:  role "pa55word" does not exist', "refused the user", False),
        ('FATAL:  no pg_hba.conf entry for host "10.1.2.3", user "pa55word"', "refused the user", False),
        ('FATAL:  database "pa55word" does not exist', "no database of that name", False),
        ("FATAL:  the database system is starting up", "starting", True),
        ("FATAL:  sorry, too many clients already", "no more connections", True),
        ("failed to resolve host 'pa55word'", "has no address", True),
        ("connection refused", "does not answer", True),
    ],
)
def test_each_trouble_has_its_words_and_none_repeats_what_the_server_said(
    said: psycopg.Error | str, what: str, passes: bool
) -> None:
    cause = psycopg.OperationalError(f"connection failed: {said}") if isinstance(said, str) else said

    trouble = trouble_of(OperationalError("SELECT 1", {}, cause))

    assert what in trouble.what
    assert trouble.passes is passes
    assert SECRET not in trouble.what + trouble.to_do


def test_a_statement_that_the_server_ended_is_told_from_a_server_that_is_away(database: Database) -> None:
    with database.begin() as c:
        c.execute(text("SET LOCAL statement_timeout = '20ms'"))
        with pytest.raises(DBAPIError) as slow:
            c.execute(text("SELECT pg_sleep(1)"))
        c.rollback()

    assert "took too long" in trouble_of(slow.value).what
