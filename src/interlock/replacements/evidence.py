"""Why another Shopify order may stand for the same sale as a cancelled one."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

# Tags known order-editing apps leave on the order they make (Shopify reference, section 13).
EDITING_TAGS = ("edit order", "orderediting:duplicated")
NEAR = timedelta(minutes=30)


def why_related(
    name: str,
    marker: str,
    cancelled_at: datetime,
    other_name: str,
    other_marker: str,
    other_tags: Sequence[str],
    other_created_at: datetime,
) -> str:
    """The evidence in words, or empty when there is none.

    `marker` is our order attribute's value; an app that copies attributes copies it. A name that continues the
    cancelled one (#1031 becomes #1031A) counts near the cancellation, and so does an editing app's tag.
    """
    if marker and other_marker == marker:
        return "it carries this marketplace order's number"
    near = abs(other_created_at - cancelled_at) <= NEAR
    base = re.escape(name.lstrip("#"))
    if near and base and re.fullmatch(rf"#?{base}[-. ]?([A-Z]|\d{{1,2}}|R\d*)", other_name):
        return "its name continues the cancelled order's name"
    if near and any(tag.lower() in EDITING_TAGS for tag in other_tags):
        return "an order-editing app made it at about the same time"
    return ""
