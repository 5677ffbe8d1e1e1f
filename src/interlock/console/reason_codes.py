"""The reason codes a connection gives the marketplace for each kind of edit (RE01), as a map from a file and back.

They are settings of the connection, kept with `interlock connect` one by one. A place of the map is a use, cancelation or
refund, and the kind of edit where it differs from the connection's own: `refund`, `cancelation line_removed`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection

from interlock.console import desk
from interlock.console.carriers import changes_since
from interlock.console.setting_maps import SettingMap
from interlock.engine.capabilities import keep_rules
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, note_map_changes, one_connection
from interlock.marketplaces.reasons import Use, usable
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules, KindOfEdit, ReasonOfEdit
from interlock.shipping.history import as_it_was

COLUMNS = ("use", "edit", "code")
"""The columns of a file of reason codes; `edit` is empty for the connection's own code of the use."""
USES: tuple[Use, ...] = get_args(Use)
EDITS: tuple[KindOfEdit, ...] = get_args(KindOfEdit)


def reason_map(rules: ConnectionRules) -> dict[str, str]:
    """Every code that is set, by its place."""
    places = {"cancelation": rules.cancelation_reason, "refund": rules.refund_reason}
    for one in rules.reasons_by_edit:
        places |= {f"cancelation {one.edit}": one.cancelation, f"refund {one.edit}": one.refund}
    return {place: code for place, code in places.items() if code}


def with_reason_map(rules: ConnectionRules, codes: Mapping[str, str]) -> ConnectionRules:
    """The rules with these codes by place and no other."""
    by_edit = (
        ReasonOfEdit(edit, codes.get(f"cancelation {edit}", ""), codes.get(f"refund {edit}", ""))
        for edit in EDITS
    )
    return replace(
        rules,
        cancelation_reason=codes.get("cancelation", ""),
        refund_reason=codes.get("refund", ""),
        reasons_by_edit=tuple(one for one in by_edit if one.cancelation or one.refund),
    )


def set_reasons(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    codes: Mapping[str, str],
    who: str,
    now: datetime,
) -> desk.Mapped:
    """Keep these codes by place, in somebody's name; those of other places stay. Every order that waits is looked at again.
    Raises MapRefused, and changes nothing then."""
    if not who.strip():
        raise desk.MapRefused("A mapping needs the name of who makes it. Nothing was changed.", field="who")
    row = one_connection(c, connection.id)
    for place, code in codes.items():
        wrong = code_problem(row, place, code)
        if wrong:
            raise desk.MapRefused(f"{wrong} Nothing was changed.", field="code")
    hinted = _keep(c, queue, row, {**reason_map(row.rules), **codes}, who, "", now)
    return desk.Mapped(len(codes), hinted)


def roll_back_reasons(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    to: datetime,
    who: str,
    why: str,
    now: datetime,
) -> desk.Mapped:
    """Make the reason codes what they were at the moment `to`, all of them or none, in somebody's name and with a reason.
    The changes since then stay in the history, and so does this one. Raises MapRefused."""
    desk.check_roll_back(to, who, why, now)
    row = one_connection(c, connection.id)
    before = reason_map(row.rules)
    wanted = as_it_was(before, changes_since(c, connection.id, "reasons", to))
    if wanted == before:
        raise desk.MapRefused(
            "The reason codes are as they were at that moment. Nothing was changed.", field="to"
        )
    if row.rules.reduction_after_debit != "task" and not wanted.get("refund"):
        raise desk.MapRefused(
            "At that moment no refund reason was set, and Interlock makes refunds now. Nothing was changed.",
            field="to",
        )
    changed = {place: code for place, code in wanted.items() if before.get(place) != code}
    for place, code in changed.items():
        wrong = code_problem(row, place, code)
        if wrong:
            raise desk.MapRefused(
                f"At that moment {place!r} was {code!r}, which cannot be kept any more: {wrong} Nothing was changed; "
                "set what you need with a file.",
                field="code",
            )
    hinted = _keep(c, queue, row, wanted, who, why, now)
    return desk.Mapped(len(changed), hinted, sum(1 for place in before if place not in wanted))


def _keep(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    codes: Mapping[str, str],
    who: str,
    why: str,
    now: datetime,
) -> int:
    kept = keep_rules(c, queue, row, with_reason_map(row.rules, codes), now)
    note_map_changes(c, row.id, "reasons", reason_map(row.rules), codes, who.strip(), why.strip(), now)
    return kept.hinted


def code_problem(row: ConnectionRow, place: str, code: str) -> str:
    """Why a code cannot be kept at a place; empty when it can."""
    use = place.partition(" ")[0]
    if row.capability is None:
        return "The marketplace's list of reasons was not read yet."
    if use not in USES or place.removeprefix(use).strip() not in ("", *EDITS):
        return f"{place[:40]!r} is no use of a reason with a kind of edit."
    codes = [one for offered, one, _ in offered_codes(row) if offered == use]
    if code in codes:
        return ""
    return f"{code!r} is not a {use} reason a shop may give here. It may give: {', '.join(codes)[:300] or 'none'}."


def offered_codes(row: ConnectionRow) -> list[tuple[Use, str, str]]:
    """What the marketplace lets a shop give: use, code and label; nothing until its list was read."""
    if row.capability is None:
        return []
    capability = decode(Capability, row.capability)
    return [
        *(("cancelation", code, label) for code, label in usable(capability.cancelation_reasons)),
        *(("refund", code, label) for code, label in usable(capability.refund_reasons)),
    ]


# -- files -------------------------------------------------------------------------------------------------


def read_reason_file(row: ConnectionRow, file: str, body: bytes) -> dict[str, str]:
    """The reason codes of a CSV file with the columns use, edit and code, by place. Raises MapRefused, which names every
    wrong row."""
    rows, wrong = desk.file_rows(file, body, ("use", "code"), ("edit",))
    found: dict[str, tuple[int, str]] = {}
    for one in rows:
        use, edit, code = one.fields["use"], one.fields.get("edit", ""), one.fields["code"]
        place = f"{use} {edit}".strip()
        if use not in USES:
            why = f"{use[:40]!r} is no use of a reason; there are {' and '.join(USES)}."
            wrong.append(desk.WrongRow(one.number, "use", why))
        elif edit and edit not in EDITS:
            why = f"{edit[:40]!r} is no kind of edit; there are {' and '.join(EDITS)}, and none for every other edit."
            wrong.append(desk.WrongRow(one.number, "edit", why))
        elif not code:
            wrong.append(desk.WrongRow(one.number, "code", "It is empty."))
        elif problem := code_problem(row, place, code[:200]):
            wrong.append(desk.WrongRow(one.number, "code", problem))
        elif place in found:
            why = f"It is the same as in row {found[place][0]}."
            wrong.append(desk.WrongRow(one.number, "edit" if edit else "use", why))
        else:
            found[place] = one.number, code
    desk.none_wrong(file, wrong)
    return {place: code for place, (_, code) in found.items()}


def reason_rows(rules: ConnectionRules) -> list[tuple[str, str, str]]:
    """The reason codes as their file has them: what can be given again as it is."""
    found = []
    for place, code in reason_map(rules).items():
        use, _, edit = place.partition(" ")
        found.append((use, edit, code))
    return found


REASONS = SettingMap(
    "reasons", "Reason codes", COLUMNS, reason_rows, read_reason_file, set_reasons, roll_back_reasons
)
