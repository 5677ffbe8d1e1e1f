"""The carrier map in words, as its history keeps it, and the map as it was at an earlier moment."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interlock.orders.connection import CarrierMapping

_SCOPE = re.compile(r" \[(?:country (?P<country>[A-Z]{2}))?(?:, )?(?:service (?P<service>[^\]]+))?\]$")
_FREE_NAME = re.compile(r"“(?P<name>.*)”", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the map: what the name led to before (`former`) and after (`present`), empty for nothing."""

    name: str
    former: str
    present: str


def scope_of(mapping: CarrierMapping) -> str:
    """For which parcels alone a mapping holds; empty for all."""
    said = []
    if mapping.country:
        said.append(f"country {mapping.country}")
    if mapping.service:
        said.append(f"service {mapping.service}")
    return ", ".join(said)


def described(mapping: CarrierMapping) -> tuple[str, str]:
    """A mapping as the history has it: the name with its scope, and what it leads to."""
    scope = scope_of(mapping)
    name = f"{mapping.shop_name} [{scope}]" if scope else mapping.shop_name
    return name, mapping.code or f"“{mapping.name}”"


def mapping_of(name: str, leads_to: str) -> CarrierMapping:
    """The mapping that `described` put into words."""
    scope = _SCOPE.search(name)
    shop_name = name[: scope.start()] if scope else name
    country = (scope["country"] or "") if scope else ""
    service = (scope["service"] or "") if scope else ""
    free = _FREE_NAME.fullmatch(leads_to)
    if free:
        return CarrierMapping(shop_name, name=free["name"], country=country, service=service)
    return CarrierMapping(shop_name, code=leads_to, country=country, service=service)


def reads_as_scope(shop_name: str) -> bool:
    """Whether a shop's name ends like a scope in words, so that the history could not tell the two apart."""
    return _SCOPE.search(shop_name) is not None


def as_it_was(present: Mapping[str, str], since: Iterable[Change]) -> dict[str, str]:
    """The map before the changes `since`, the newest first, as name and what it led to."""
    found = dict(present)
    for change in since:
        if change.former:
            found[change.name] = change.former
        else:
            found.pop(change.name, None)
    return found
