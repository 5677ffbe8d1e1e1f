"""How a sentence speaks of the hold of a parcel that has to wait."""

from dataclasses import dataclass

NOT_ON_HOLD = "No hold is on it now: tell the warehouse not to ship."


@dataclass(frozen=True, slots=True)
class HoldWords:
    """The rooms ask for the hold and compose their sentences with these words. `let_go` where none is on the parcel and none
    is about to be placed: somebody took ours off, or Shopify takes none."""

    let_go: bool = False

    @property
    def is_held(self) -> str:
        return "should be held" if self.let_go else "is held"

    @property
    def stays_held(self) -> str:
        return "should stay held" if self.let_go else "stays held"

    @property
    def held(self) -> str:
        return "to be held" if self.let_go else "held"

    @property
    def of_the_parcel(self) -> str:
        """How the sentence begins that says of a parcel why it waits; `speaks_of_the_hold` knows it again."""
        return f"The parcel {self.is_held}."

    @property
    def lacking(self) -> str:
        """What a case that speaks of the hold ends with."""
        return f" {NOT_ON_HOLD}" if self.let_go else ""


def speaks_of_the_hold(sentence: str) -> bool:
    """Whether this sentence of a plan says why a parcel waits."""
    return sentence.startswith((HoldWords(False).of_the_parcel, HoldWords(True).of_the_parcel))
