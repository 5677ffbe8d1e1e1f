"""What a marketplace says of a stock file is believed only where it tells of every line."""

import pytest

from interlock.inventory.observed import ImportShown
from interlock.inventory.reports import refused_of

SENT = ((1, "A", 3), (2, "B", 0), (3, "C", 7))
ONE = b'"error-line";"error-message";"offer-sku"\n"2";"The offer is being checked";"B"\n'


def complete(taken: int | None, refused: int | None) -> ImportShown:
    return ImportShown("COMPLETE", taken, refused, bool(refused))


@pytest.mark.parametrize(
    ("shown", "report", "found"),
    [
        pytest.param(complete(3, 0), b"", {}, id="all taken"),
        pytest.param(complete(None, None), b"", {}, id="no counts"),
        pytest.param(complete(2, 1), ONE, {"B": "The offer is being checked"}, id="one refused"),
        pytest.param(complete(None, None), ONE, {"B": "The offer is being checked"}, id="the report alone"),
        pytest.param(complete(2, 1), b'"2";"No"', {"B": "No"}, id="by its number"),
        # what is not told of every line is told of none
        pytest.param(complete(0, 3), b"", None, id="three in error and an empty report"),
        pytest.param(complete(None, 3), ONE, None, id="fewer reasons than lines in error"),
        pytest.param(complete(1, 0), b"", None, id="lines that are neither taken nor refused"),
        pytest.param(complete(1, None), ONE, None, id="one taken, one refused, and one lost"),
        pytest.param(complete(2, 1), b'"9";"No"', None, id="a line that was not sent"),
        pytest.param(complete(2, 1), b"<html>", None, id="no report at all"),
    ],
)
def test_which_lines_were_refused(shown: ImportShown, report: bytes, found: dict[str, str] | None) -> None:
    assert refused_of(SENT, shown, report) == found
