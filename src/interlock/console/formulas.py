"""What a spreadsheet program would take for a formula."""

FORMULA_BEGINS = "=+-@\t\r\n|%＝＋－＠"
_UNSEEN = " \u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\x00"


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet program may run the text: also when the beginning hides behind blanks and marks of direction."""
    begins = text.lstrip(_UNSEEN)[:1]
    return bool(begins) and begins in FORMULA_BEGINS
