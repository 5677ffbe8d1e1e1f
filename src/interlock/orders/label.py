"""The answer to "may this label be printed?": a value that a plan carries and the order's row keeps."""

from dataclasses import dataclass

BY_ITSELF = "nobody needs to: it settles by itself"
THE_MARKETPLACE = "the marketplace"


@dataclass(frozen=True, slots=True)
class Label:
    """`who` can change a no: a team of ours, the marketplace, or nobody because it settles by itself; empty for a yes.
    `parcels` are the ids of the fulfillment orders of which something is left to ship."""

    yes: bool
    reason: str
    who: str
    parcels: tuple[str, ...]
