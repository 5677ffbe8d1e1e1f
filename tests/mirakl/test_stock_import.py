"""STO01: what its answers mean. Only a number under which the file can be asked about is a yes."""

import pytest

from interlock.mirakl.classify import Answered, Broken, NotSent, Postponed, Reply, classify_import
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown


def answered(status: int, body: bytes = b"") -> Answered:
    return Answered(status, {}, body)


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (answered(201, b'{"import_id":"5001"}'), Confirmed((("import_id", "5001"),))),
        (answered(201, b'{"import_id":5001}'), Confirmed((("import_id", "5001"),))),
        (answered(201, b"{}"), Unknown("the file was taken, but the answer does not give its number")),
        (
            answered(201, b'{"import_id":true}'),
            Unknown("the file was taken, but the answer does not give its number"),
        ),
        (answered(400, b'{"message":"bad file","code":"X1"}'), Refused("X1", "bad file")),
        (answered(503), Unknown("answered with status 503")),
        (Broken("no answer"), Unknown("no answer")),
        (NotSent("no connection"), Unavailable("no connection")),
        (Postponed(30.0), Unavailable("our own budget for STO01 is used up", 30.0)),
        (answered(429), Unavailable("too many calls", None)),
    ],
)
def test_what_an_answer_means(reply: Reply, wanted: Outcome) -> None:
    assert classify_import(reply) == wanted


def test_an_answer_that_is_cut_off_leaves_it_unclear() -> None:
    assert isinstance(classify_import(answered(201, b'{"import')), Unknown)
