"""Tags are unique without regard to case and come back sorted (reference 15.14)."""

from collections.abc import Iterable

from interlock.simulator.shopify.refusals import Refused

TAGS_PER_ORDER = 250


def merged_tags(existing: list[str], added: Iterable[str]) -> list[str]:
    """Existing tags plus the new ones; a comma inside an entry separates tags. Raises Refused above 250."""
    result = list(existing)
    known = {tag.casefold() for tag in result}
    for entry in added:
        for part in entry.split(","):
            tag = part.strip()
            if tag and tag.casefold() not in known:
                known.add(tag.casefold())
                result.append(tag)
    if len(result) > TAGS_PER_ORDER:
        raise Refused(f"Tags can't be more than {TAGS_PER_ORDER}", ("tags",))
    return sorted(result, key=str.casefold)


def without_tags(existing: list[str], removed: Iterable[str]) -> list[str]:
    gone = {tag.strip().casefold() for entry in removed for tag in entry.split(",")}
    return [tag for tag in existing if tag.casefold() not in gone]
