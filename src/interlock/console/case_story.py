"""The history of a case in sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from interlock.cases.work import Event
from interlock.console import wording
from interlock.storage.encryption import Keyring, Undecipherable

SENTENCES = {
    "opened": "It opened.",
    "reopened": "It came back: the same question was asked again.",
    "changed": "It became another severity: {detail}.",
    "closed": "It closed: {detail}",
    "answered": "Answered “{option}”.",
    "assigned": "Given to {detail}.",
    "begun": "Began to work on it.",
    "put back": "Gave it back to the team.",
    "snoozed": "Let it rest {detail}.",
    "woken": "It rests no more. {detail}",
    "commented": "Wrote:",
    "replayed": "Its order is looked at again ({detail}).",
}

ERASED = "(erased after a year)"


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of a case's history as people read it. `words` is what a person wrote, the reason of an answer too."""

    at: datetime
    who: str
    sentence: str
    words: str


def story_of(events: Iterable[Event], keyring: Keyring) -> Iterator[Told]:
    """The events in sentences, with what people wrote made readable."""
    for event in events:
        pattern = SENTENCES.get(event.what, event.what)
        sentence = pattern.format(detail=event.detail, option=wording.option_label(event.detail)).strip()
        yield Told(event.at, event.who, sentence, _words(event, keyring))


def _words(event: Event, keyring: Keyring) -> str:
    if event.words is None:
        if event.what == "answered":
            return ERASED if event.why is None else event.why
        return ERASED if event.what in ("commented", "snoozed") else ""
    try:
        return keyring.decrypt(event.words).decode()
    except Undecipherable:
        return "(written under a key that is gone)"
