"""Which histories have a shop that shows its prices with taxes where its first marketplace shows them without, or the other
way round.

Drawn from a stream of its own, so that a history without it stays the history it was.
"""

import random
from dataclasses import replace

from interlock.rehearsal.world import WorldPlan

OTHERWISE = ((0.166, 0.208), (0.322, 0.374), (0.771, 0.846))
"""Between these the choice of such a history falls: every sixth one, and none of the seeds that were committed before there
were any."""


def is_otherwise(seed: int) -> bool:
    """Whether shop and marketplace show their prices each in another way in the history of this seed."""
    choice = random.Random(f"{seed}:the shop's taxes").random()
    return any(least <= choice < most for least, most in OTHERWISE)


def drawn(seed: int, plan: WorldPlan) -> WorldPlan:
    """The plan with the other tax setting for its shop, in a share of the histories."""
    if not is_otherwise(seed):
        return plan
    return replace(plan, taxes_included=not plan.shop_includes_taxes)
