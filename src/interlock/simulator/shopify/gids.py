"""Reading the platform's global ids."""


def tail(gid: str, kind: str) -> int:
    """The number at the end of a gid of that kind, -1 for anything else (reference 15.12)."""
    prefix = f"gid://shopify/{kind}/"
    number = gid[len(prefix) :].partition("?")[0] if gid.startswith(prefix) else ""
    return int(number) if number.isdigit() else -1
