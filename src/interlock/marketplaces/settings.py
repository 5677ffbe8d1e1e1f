"""The settings about what a marketplace allows where no field of its API says it, and what its answers make of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from interlock.orders.connection import ConnectionRules

Name = Literal["acceptance_window", "partial_acceptance", "partial_cancelation", "messages", "refunds"]
NAMES: tuple[Name, ...] = get_args(Name)

_CALLED: dict[str, str] = {
    "partial_acceptance": "refuse single lines (OR21)",
    "partial_cancelation": "cancel part of an order (OR30)",
    "messages": "write to the customer (OR43)",
    "refunds": "refund (OR28)",
}
_MEANWHILE: dict[str, str] = {
    "partial_acceptance": "Until then orders are accepted or refused whole.",
    "partial_cancelation": "Until then a smaller edit is a case of its order and no cancelation of units is sent.",
    "messages": "Until then no case offers to write to the customer; write in the marketplace portal.",
    "refunds": "Each refund that is refused has a case of its own; refund it in the marketplace portal.",
}
_OPTION: dict[str, tuple[str, str]] = {
    "partial_acceptance": ("--partial-acceptance", "--no-partial-acceptance"),
    "partial_cancelation": ("--partial-cancelation", "--no-partial-cancelation"),
    "messages": ("--messages", "--no-messages"),
    "refunds": ("--reduction-after-debit approve", "--reduction-after-debit task"),
}


@dataclass(frozen=True, slots=True)
class RefutedSetting:
    """A setting that says yes, or names a time, where the marketplace said otherwise. `evidence` is its answer."""

    name: Name
    evidence: str

    def sentence(self, connection: str) -> str:
        """What is wrong, what it means meanwhile, and the commands that end it."""
        if self.name == "acceptance_window":
            return (
                f"The time to accept is shorter than the settings of {connection} say: {self.evidence}. Until it is set right "
                "people are told too late that an order runs out. Ask the marketplace for the right time and set it with "
                f"`interlock connect --name {connection} --acceptance-window TIME`."
            )
        again, never = _OPTION[self.name]
        return (
            f"The settings of {connection} say that it may {_CALLED[self.name]}, and the marketplace does not let it: "
            f"{self.evidence}. {_MEANWHILE[self.name]} Ask the marketplace for the right; when it is given, `interlock "
            f"connect --name {connection} {again}` has it tried again. If it never will be, `interlock connect --name "
            f"{connection} {never}` keeps it so."
        )


def says_yes(rules: ConnectionRules, name: Name) -> bool:
    """Whether the setting says that the marketplace allows it, or names a time."""
    match name:
        case "acceptance_window":
            return rules.acceptance_window is not None
        case "partial_acceptance":
            return rules.partial_acceptance
        case "partial_cancelation":
            return rules.partial_cancelation
        case "messages":
            return rules.messages
        case "refunds":
            return rules.reduction_after_debit != "task"


def refuted_settings(
    rules: ConnectionRules, refuted: Iterable[tuple[str, str]]
) -> tuple[RefutedSetting, ...]:
    """The settings that say yes where an answer of the marketplace, given as (name, evidence), said no."""
    seen = dict(refuted)
    return tuple(RefutedSetting(name, seen[name]) for name in NAMES if name in seen and says_yes(rules, name))


def as_observed(rules: ConnectionRules, refuted: Iterable[tuple[str, str]]) -> ConnectionRules:
    """The rules by which is decided: what the marketplace refused is not allowed, whatever its setting says, and
    `refuted` tells by which answer. An observation never allows what a setting forbids. Refunds stay as they are set:
    each one is approved by a person or refused with a case of its own. So does the time to accept, of which one order
    proves too little to be counted with."""
    found = {one.name: one.evidence for one in refuted_settings(rules, refuted)}
    return replace(
        rules,
        partial_acceptance=rules.partial_acceptance and "partial_acceptance" not in found,
        partial_cancelation=rules.partial_cancelation and "partial_cancelation" not in found,
        messages=rules.messages and "messages" not in found,
        refuted=tuple(found.items()),
    )
