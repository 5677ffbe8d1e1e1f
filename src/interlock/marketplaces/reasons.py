"""Whether the reason codes a connection uses are ones the marketplace takes from a shop (RE01 `is_shop_right`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from interlock.orders.capability import Capability, OperatorReason
from interlock.orders.connection import ConnectionRules

Use = Literal["cancelation", "refund"]


@dataclass(frozen=True, slots=True)
class MissingCode:
    """A reason code that is not set, or not taken any more. `code` is empty where none is set; `usable` is what a shop
    may give instead, as (code, label)."""

    use: Use
    code: str
    usable: tuple[tuple[str, str], ...]

    def sentence(self, connection: str) -> str:
        """What is wrong, what it means, and the command that mends it."""
        offered = ", ".join(f"{code} ({label})" for code, label in self.usable) or "none at all"
        wrong = (
            f"{connection} has no {self.use} reason, and the marketplace demands one."
            if not self.code
            else f"{connection} uses {self.use} reason {self.code}, which the marketplace does not take from a shop."
        )
        return (
            f"{wrong} Edits that need it wait, with their parcels held. It takes: {offered}. Choose one with `interlock "
            f"connect --name {connection} --{self.use}-reason CODE`; the waiting orders go on by themselves."
        )


def usable(reasons: Sequence[OperatorReason]) -> tuple[tuple[str, str], ...]:
    """The codes a shop may give, with their labels."""
    return tuple((reason.code, reason.label) for reason in reasons if reason.shop_right)


def missing_codes(rules: ConnectionRules, capability: Capability) -> tuple[MissingCode, ...]:
    """Every code in use that the marketplace does not take, and every use that has none although it needs one."""
    found: list[MissingCode] = []
    for use, own, by_edit, known, needed in _uses(rules, capability):
        offered = usable(known)
        allowed = [code for code, _ in offered]
        codes = [code for code in (own, *by_edit) if code]
        found += [MissingCode(use, code, offered) for code in dict.fromkeys(codes) if code not in allowed]
        if needed and not own:
            found.append(MissingCode(use, "", offered))
    return tuple(found)


def _uses(
    rules: ConnectionRules, capability: Capability
) -> tuple[tuple[Use, str, tuple[str, ...], tuple[OperatorReason, ...], bool], ...]:
    return (
        (
            "cancelation",
            rules.cancelation_reason,
            tuple(one.cancelation for one in rules.reasons_by_edit),
            capability.cancelation_reasons,
            rules.partial_cancelation,
        ),
        (
            "refund",
            rules.refund_reason,
            tuple(one.refund for one in rules.reasons_by_edit),
            capability.refund_reasons,
            rules.reduction_after_debit != "task",
        ),
    )


def with_usable_reasons(rules: ConnectionRules, capability: Capability) -> ConnectionRules:
    """The rules without codes the marketplace would refuse: what needs one then waits for a person who sets another.

    A list that is empty altogether says nothing (it may not have been understood), so the codes stay.
    """
    cancelations = [code for code, _ in usable(capability.cancelation_reasons)]
    refunds = [code for code, _ in usable(capability.refund_reasons)]

    def kept(code: str, allowed: list[str]) -> str:
        return code if not allowed or code in allowed else ""

    return replace(
        rules,
        cancelation_reason=kept(rules.cancelation_reason, cancelations),
        refund_reason=kept(rules.refund_reason, refunds),
        reasons_by_edit=tuple(
            replace(one, cancelation=kept(one.cancelation, cancelations), refund=kept(one.refund, refunds))
            for one in rules.reasons_by_edit
        ),
    )
