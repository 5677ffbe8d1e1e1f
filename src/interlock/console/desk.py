"""What people do from console and command line: answer a case, have an order looked at again, keep the maps."""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from interlock.cases.causes import cause_key
from interlock.cases.replays import Answerable, Impact, answer_all, answerable, impact, open_causes
from interlock.cases.store import CannotAnswer, answer
from interlock.cases.work import NotDone, checked_words
from interlock.clock import Identifiers
from interlock.console.case_list import CaseRow, one_case
from interlock.console.formulas import looks_like_formula
from interlock.console.oversold import as_offered
from interlock.engine.capabilities import check_carriers
from interlock.engine.carriers_told import look_at_told_otherwise
from interlock.engine.hints import hint
from interlock.engine.offers import relink
from interlock.engine.queue import Queue
from interlock.engine.replays import answer_and_replay, replay_all
from interlock.engine.store import ConnectionRow, count, note_map_changes
from interlock.imports.store import map_skus, sku_map, unmap_sku
from interlock.orders.actions import Lane
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import Carrier, CarrierMapping
from interlock.orders.countries import alpha2
from interlock.orders.reasons import FOR_A_WHOLE_CAUSE, WITH_TEXT, Option, Reason
from interlock.orders.store import orders, tell
from interlock.orders.texts import keep_text
from interlock.shipping.carriers import contradicting
from interlock.shipping.history import described, reads_as_scope, scope_of
from interlock.shipping.names import key as name_key
from interlock.shipping.store import carrier_map, map_carriers, unmap_carrier
from interlock.shipping.telling import NO_CARRIER
from interlock.storage.encryption import Keyring
from interlock.wiring import rules_of

LARGEST_FILE_BYTES = 2 * 1024 * 1024
MOST_ROWS = 20_000
MOST_WRONG_ROWS = 20
LONGEST_FIELD = 200
LONGEST_TEXT = 4000


class MapRefused(ValueError):
    """A mapping or a file of mappings cannot be taken; nothing of it was kept. `field` names the column."""

    def __init__(self, sentence: str, file: str = "", row: int = 0, field: str = "") -> None:
        super().__init__(sentence)
        self.file = file
        self.row = row
        self.field = field


class NoSuchOrder(ValueError):
    """There is no order with that number, on the connection of that name or on any."""

    def __init__(self, number: str, connection: str = "") -> None:
        super().__init__(
            f"There is no order {number}{f' on {connection}' if connection else ''}. "
            "Search for it with `interlock order list --search`."
        )


class NumberAmbiguous(ValueError):
    """More than one order carries that number: `found` are marketplace numbers with their connections, `how` is what names
    a connection where the number was given, in front of the connection's name."""

    def __init__(self, number: str, found: Sequence[tuple[str, str]], how: str = "--connection ") -> None:
        connections = sorted({connection for _, connection in found})
        said = [f"{number} is the number of more than one order: {_and(f'{n} on {c}' for n, c in found)}."]
        if len(connections) > 1:
            said.append(f"Say which with {how}{f' or {how}'.join(connections)}.")
        if len({n for n, _ in found}) > 1:
            said.append("Or give the marketplace's number in full.")
        super().__init__(" ".join(said))


def _and(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its number as an editor shows it, and the fields the file names."""

    number: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What was kept: how many mappings, how many orders are looked at again because of them, and the number of the
    replay that does it; None when no order waits. `left_out` of their cases keep the other answer of somebody else."""

    mappings: int
    orders: int
    removed: int = 0
    replay: int | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A text a person wrote to an answer: its new id, and the text encrypted."""

    id: str
    encrypted: bytes


def written(text: str, identifiers: Identifiers, keyring: Keyring) -> Written | None:
    """A text ready to be kept; None for an empty one."""
    text = text.strip()
    return Written(identifiers.new_id(), keyring.encrypt(text.encode())) if text else None


def answer_case(
    c: Connection,
    queue: Queue,
    case_id: int,
    option: str,
    who: str,
    why: str,
    now: datetime,
    text: Written | None = None,
    instead_of: int | None = None,
) -> int:
    """Keep an answer, and the text that belongs to it, and have its order looked at. Returns the order's row id.
    `instead_of` is the answer of somebody else that it replaces. Raises CannotAnswer."""
    besides: Sequence[str] = ()
    if option == Option.REFUSE_ORDER and (row := one_case(c, case_id)) is not None:
        besides = as_offered(c, row, now).options
    wanted = option in WITH_TEXT
    if wanted and text is None:
        raise CannotAnswer(f"The option {option!r} needs the text of the message. Nothing was changed.")
    if text is not None and not wanted:
        raise CannotAnswer(f"The option {option!r} takes no text. Nothing was changed.")
    order_id = answer(c, case_id, option, who, why, now, "" if text is None else text.id, instead_of, besides)
    if text is not None:
        keep_text(c, text.id, order_id, "message", text.encrypted, now)
    hint(c, queue, order_id, _lane(c, order_id), now)
    return order_id


def count_refused_answer(c: Connection, option: str) -> None:
    """Count an answer that was not taken, by its option where there is such a one."""
    count(c, "answer_refused", option if option in set(Option) else "unknown")


def replay(c: Connection, queue: Queue, order_id: int, who: str, now: datetime) -> None:
    """Have the order looked at again with a fresh reading of both sides. Raises NoSuchOrder."""
    row = c.execute(
        select(orders.c.connection_id).where(orders.c.id == order_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NoSuchOrder(str(order_id))
    c.execute(update(orders).where(orders.c.id == order_id).values(mirakl_wanted_since=now))
    queue.read_wanted(c, row.connection_id)
    hint(c, queue, order_id, _lane(c, order_id), now)
    tell(c, order_id, now, who, ["Asked for another look at both sides."])


def _lane(c: Connection, order_id: int) -> Lane:
    state = c.execute(select(orders.c.mirakl_state).where(orders.c.id == order_id)).scalar_one_or_none()
    return "acceptance" if state == "WAITING_ACCEPTANCE" else "edits"


# -- causes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cause:
    """What several orders wait for together."""

    connection_id: int
    reason: Reason
    name: str


def cause_of_case(row: CaseRow) -> Cause:
    """The cause a case shares with others. Raises NotDone where it has none."""
    if row.closed_at is not None:
        raise NotDone(f"Case {row.id} is closed: {row.closed_because} Nothing was changed.")
    if not row.cause or row.order_id is None or row.connection_id is None:
        raise NotDone(f"Case {row.id} has no cause that other orders share. Nothing was changed.")
    return Cause(row.connection_id, Reason(row.reason), row.cause)


def unlocked_by(c: Connection, cause: Cause) -> Impact:
    """What an answer to the cause would free."""
    return impact(c, cause.connection_id, cause.reason, (cause.name,))


@dataclass(frozen=True, slots=True)
class ForAll:
    """An answer that may be given to every case of a cause at once, and how many cases and orders it would reach now."""

    option: Option
    open: Answerable


def answer_for_all(row: CaseRow) -> Option | None:
    """What may be answered to every case of the case's cause at once; None where looking at the orders again is what
    helps."""
    return next((option for option in FOR_A_WHOLE_CAUSE if option.value in row.options), None)


def for_all(c: Connection, row: CaseRow, who: str) -> ForAll | None:
    """The same with what it would reach as an answer of this person. Raises NotDone where the case has no cause."""
    cause, option = cause_of_case(row), answer_for_all(row)
    if option is None:
        return None
    return ForAll(option, answerable(c, cause.connection_id, cause.reason, cause.name, option, who))


def answer_cause(
    c: Connection, queue: Queue, row: CaseRow, option: str, who: str, why: str, now: datetime
) -> int:
    """Answer every case of the case's cause, and have their orders looked at because of it. Returns the number of the
    replay that does it. Raises NotDone."""
    why, cause = checked_words(why, "The reason"), cause_of_case(row)
    if option != answer_for_all(row):
        raise NotDone(f"The option {option!r} is not answered to a whole cause. Nothing was changed.")
    replay_id = answer_and_replay(
        c, queue, cause.connection_id, cause.reason, cause.name, Option(option), who.strip(), why, now
    )
    if replay_id is None:
        every = answerable(c, cause.connection_id, cause.reason, cause.name, Option(option), who.strip())
        one_by_one = " by somebody else, and otherwise: answer them one by one" if every.left_out else ""
        raise NotDone(f"Every one of these cases has been answered already{one_by_one}. Nothing was changed.")
    return replay_id


# -- maps --------------------------------------------------------------------------------------------------


def map_carrier_names(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    mappings: Sequence[CarrierMapping],
    who: str,
    now: datetime,
) -> Mapped:
    """Keep carrier mappings and hint every order that waits for one of them. Raises MapRefused."""
    _who(who)
    for mapping in mappings:
        wrong = carrier_problem(connection, mapping)
        if wrong is not None:
            raise MapRefused(f"{wrong[1]} Nothing was changed.", field=wrong[0])
    former = carrier_map(c, connection.id)
    check_no_contradiction(former, mappings)
    map_carriers(c, connection.id, mappings, who.strip(), now)
    note_carrier_changes(c, connection.id, former, who, "", now)
    carriers_changed(c, queue, connection, now)
    unlocked, replay_id = replay_carriers(c, queue, connection.id, mappings, who, now)
    return Mapped(len(mappings), unlocked, replay=replay_id)


def check_no_contradiction(kept: Sequence[CarrierMapping], mappings: Sequence[CarrierMapping]) -> None:
    """Raise MapRefused where one of these mappings contradicts another one of them, or one of the map that is not replaced
    by them."""
    anew = {(one.shop_name, one.country, one.service) for one in mappings}
    stays = [one for one in kept if (one.shop_name, one.country, one.service) not in anew]
    found = contradicting(mappings, (*stays, *mappings))
    if found is None:
        return
    (name, leads_to), (other, elsewhere) = (described(mapping) for mapping in found)
    raise MapRefused(
        f"“{name}” would lead to {leads_to}, and “{other}”, which is written alike, leads to {elsewhere}: a parcel could mean "
        f"both. Remove “{other}” first, or have both lead to one carrier. Nothing was changed.",
        field="shop_name",
    )


def carriers_changed(c: Connection, queue: Queue, connection: ConnectionRow, now: datetime) -> None:
    """After a change of the carrier map: close the cases of dropped carriers that nothing is mapped to any more, and have
    the orders looked at that were told of with a carrier the map no longer leads to."""
    if connection.capability is not None:
        capability = decode(Capability, connection.capability)
        check_carriers(c, connection.id, capability, now)
        look_at_told_otherwise(c, queue, connection.id, capability, now)


def replay_carriers(
    c: Connection,
    queue: Queue,
    connection_id: int,
    mappings: Sequence[CarrierMapping],
    who: str,
    now: datetime,
) -> tuple[int, int | None]:
    """Have every order looked at that waits for one of these mappings, under however its carrier is written, be it with a
    parcel or with a corrected number; for a default, every one that waits, also for the name of a carrier. Returns how
    many, and the replay that does it, that of the parcels where there are both."""
    keys = {name_key(mapping.shop_name) for mapping in mappings}
    everything = any(mapping.is_default for mapping in mappings)
    unlocked, replay_id = 0, None
    for reason in (Reason.TRACKING_MISSING, Reason.TRACKING_NOT_CORRECTED, Reason.CARRIER_UNKNOWN):
        causes = open_causes(c, connection_id, reason, Option.MAP_CARRIER)
        names = [cause for cause in causes if everything or name_key(cause) in keys]
        if everything:
            names += open_causes(c, connection_id, reason, fact=NO_CARRIER)
        unlocked += impact(c, connection_id, reason, names).orders if names else 0
        replay_id = replay_all(c, queue, connection_id, reason, names, who.strip(), now) or replay_id
    return unlocked, replay_id


def map_sku_names(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    mappings: Sequence[tuple[str, str]],
    who: str,
    now: datetime,
) -> Mapped:
    """Keep SKU mappings (marketplace SKU, shop SKU), which answers the cases that wait for them. Raises MapRefused."""
    _who(who)
    for mirakl_sku, shop_sku in mappings:
        wrong = sku_problem(mirakl_sku, shop_sku)
        if wrong is not None:
            raise MapRefused(f"{wrong[1]} Nothing was changed.", field=wrong[0])
    former = sku_map(c, connection.id)
    map_skus(c, connection.id, {mirakl: shop for mirakl, shop in mappings}, who.strip(), now)
    note_map_changes(c, connection.id, "skus", former, sku_map(c, connection.id), who.strip(), "", now)
    relink(c, connection, now)
    unlocked, replay_id, left_out = replay_skus(c, queue, connection.id, mappings, who, now)
    return Mapped(len(mappings), unlocked, replay=replay_id, left_out=left_out)


def replay_skus(
    c: Connection,
    queue: Queue,
    connection_id: int,
    mappings: Sequence[tuple[str, str]],
    who: str,
    now: datetime,
) -> tuple[int, int | None, int]:
    """Answer every case that waits for one of these mappings, and have its order looked at. Returns how many, the replay
    that does it, and how many cases keep the other answer of somebody else: their orders are looked at all the same."""
    names = [mirakl_sku for mirakl_sku, _ in mappings]
    unlocked, replay_id, left_out = 0, None, 0
    for reason in (Reason.SKU_UNKNOWN, Reason.SKU_AMBIGUOUS):
        waiting = set(open_causes(c, connection_id, reason, Option.MAP_SKU))
        for mirakl_sku, shop_sku in mappings:
            if cause_key(mirakl_sku) not in waiting:
                continue
            # Somebody else's answer that waits already stands; the order is looked at either way.
            why = f"Mapped to {shop_sku}."
            given = answer_all(c, connection_id, reason, mirakl_sku, Option.MAP_SKU, who.strip(), why, now)
            left_out += given.left_out
        unlocked += impact(c, connection_id, reason, names).orders
        replay_id = replay_all(c, queue, connection_id, reason, names, who.strip(), now) or replay_id
    return unlocked, replay_id, left_out


def unmap_carrier_name(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    shop_name: str,
    who: str,
    why: str,
    now: datetime,
    country: str = "",
    service: str = "",
) -> Mapped:
    """Remove the mapping of one carrier name and scope, in somebody's name and with a reason. Parcels that name the
    carrier afterwards wait as cases again; what was reported stays reported, unless a wider mapping leads elsewhere. Raises MapRefused."""
    check_reason(who, why)
    former = carrier_map(c, connection.id)
    wanted = shop_name.strip().casefold()
    named = [mapping for mapping in former if mapping.shop_name.strip().casefold() == wanted]
    found = [mapping for mapping in named if (mapping.country, mapping.service) == (country, service)]
    if not found:
        others = ", ".join(f"[{scope_of(mapping)}]" for mapping in named if scope_of(mapping))
        hint_at = f" It is mapped for {others}; name that country or service." if others else ""
        raise MapRefused(
            f"No carrier {shop_name.strip()!r} is mapped{' so' if named else ''}. Nothing was changed.{hint_at}",
            field="shop_name",
        )
    for mapping in found:
        unmap_carrier(c, connection.id, mapping)
    note_carrier_changes(c, connection.id, former, who, why, now)
    carriers_changed(c, queue, connection, now)
    return Mapped(0, 0, len(found))


def note_carrier_changes(
    c: Connection, connection_id: int, former: Sequence[CarrierMapping], who: str, why: str, now: datetime
) -> None:
    """Write down how the carrier map differs from what it was."""
    before = dict(described(mapping) for mapping in former)
    present = dict(described(mapping) for mapping in carrier_map(c, connection_id))
    note_map_changes(c, connection_id, "carriers", before, present, who.strip(), why.strip(), now)


def unmap_sku_name(
    c: Connection, connection: ConnectionRow, mirakl_sku: str, who: str, why: str, now: datetime
) -> Mapped:
    """Remove the mapping of one marketplace SKU, in somebody's name and with a reason. Orders that exist keep their
    lines; new ones look for the SKU as the marketplace writes it. Raises MapRefused."""
    check_reason(who, why)
    former = sku_map(c, connection.id)
    if not unmap_sku(c, connection.id, mirakl_sku.strip()):
        raise MapRefused(f"No SKU {mirakl_sku.strip()!r} is mapped. Nothing was changed.", field="mirakl_sku")
    present = sku_map(c, connection.id)
    note_map_changes(c, connection.id, "skus", former, present, who.strip(), why.strip(), now)
    relink(c, connection, now)
    return Mapped(0, 0, 1)


def check_reason(who: str, why: str) -> None:
    """Raise MapRefused where a removal has no name or no reason."""
    if not who.strip():
        raise MapRefused("A removal needs the name of who makes it. Nothing was changed.", field="who")
    if not why.strip() or not _printable(why.strip()):
        raise MapRefused(
            f"A removal needs a reason of at most {LONGEST_FIELD} characters in one line. Nothing was changed.",
            field="why",
        )


def check_roll_back(to: datetime, who: str, why: str, now: datetime) -> None:
    """Raise MapRefused where the moment to go back to is not past, or nobody's name or reason was given."""
    check_reason(who, why)
    if to >= now:
        raise MapRefused("The moment is not past. Nothing was changed.", field="to")


def _who(who: str) -> None:
    if not who.strip():
        raise MapRefused("A mapping needs the name of who makes it. Nothing was changed.", field="who")


def carrier_problem(connection: ConnectionRow, mapping: CarrierMapping) -> tuple[str, str] | None:
    """The field of a carrier mapping that is wrong, and why; None when it can be kept."""
    rules = rules_of(connection, ())
    if not mapping.shop_name.strip():
        return "shop_name", "The name the shop writes is empty."
    for field, value in (
        ("shop_name", mapping.shop_name),
        ("code", mapping.code),
        ("name", mapping.name),
        ("service", mapping.service),
    ):
        if not _printable(value):
            return (
                field,
                f"It is longer than {LONGEST_FIELD} characters or holds characters that cannot be shown.",
            )
    if reads_as_scope(mapping.shop_name):
        return "shop_name", "It ends like a country or a service; give those in fields of their own."
    if mapping.country and alpha2(mapping.country) != mapping.country:
        return "country", f"{mapping.country!r} is not a country; give two capital letters such as FR."
    services = (
        () if connection.capability is None else decode(Capability, connection.capability).shipping_types
    )
    if mapping.service and services and mapping.service not in services:
        return (
            "service",
            f"{mapping.service!r} is not a shipping method of this marketplace; it has {', '.join(services)[:300]}.",
        )
    if bool(mapping.code) == bool(mapping.name):
        return "code", "Give either a code of the marketplace or a free name, not both and not neither."
    if mapping.code and rules.carriers and mapping.code not in {carrier.code for carrier in rules.carriers}:
        close = [
            carrier.code for carrier in rules.carriers if carrier.code.casefold() == mapping.code.casefold()
        ]
        hint_at = f" Did you mean {close[0]}?" if close else ""
        return "code", f"{mapping.code!r} is not a carrier of this marketplace.{hint_at}"
    if mapping.name and not rules.unregistered_carriers:
        return "name", "This marketplace takes only carriers of its own list; give a code."
    return None


def sku_problem(mirakl_sku: str, shop_sku: str) -> tuple[str, str] | None:
    """The field of a SKU mapping that is wrong, and why; None when it can be kept."""
    for field, value in (("mirakl_sku", mirakl_sku), ("shop_sku", shop_sku)):
        if not value.strip():
            return field, "It is empty."
        if not _printable(value):
            return (
                field,
                f"It is longer than {LONGEST_FIELD} characters or holds characters that cannot be shown.",
            )
    return None


def _printable(value: str) -> bool:
    return len(value) <= LONGEST_FIELD and value.isprintable()


# -- files -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WrongRow:
    """What is wrong with one row of a file; `field` is empty where it is the row as a whole."""

    number: int
    field: str
    why: str


def read_carrier_file(connection: ConnectionRow, file: str, body: bytes) -> tuple[CarrierMapping, ...]:
    """Carrier mappings of a CSV file with the columns shop_name, code and/or name, and country and service where a
    mapping holds for some parcels alone. Raises MapRefused, which names every wrong row."""
    rows, wrong = file_rows(file, body, ("shop_name",), ("code", "name", "country", "service"))
    found: list[tuple[int, str, CarrierMapping]] = []
    for row in rows:
        mapping = CarrierMapping(
            row.fields["shop_name"],
            row.fields.get("code", ""),
            row.fields.get("name", ""),
            row.fields.get("country", ""),
            row.fields.get("service", ""),
        )
        problem = carrier_problem(connection, mapping)
        if problem is not None:
            wrong.append(WrongRow(row.number, *problem))
            continue
        once = f"{mapping.shop_name.casefold()}\n{mapping.country}\n{mapping.service}"
        found.append((row.number, once, mapping))
    wrong += _twice([(number, key) for number, key, _ in found], "shop_name")
    none_wrong(file, wrong)
    return tuple(mapping for _, _, mapping in found)


def read_sku_file(file: str, body: bytes) -> tuple[tuple[str, str], ...]:
    """SKU mappings of a CSV file with the columns mirakl_sku and shop_sku. Raises MapRefused, which names every wrong
    row."""
    rows, wrong = file_rows(file, body, ("mirakl_sku", "shop_sku"), ())
    found: list[tuple[int, tuple[str, str]]] = []
    for row in rows:
        mapping = row.fields["mirakl_sku"], row.fields["shop_sku"]
        problem = sku_problem(*mapping)
        if problem is not None:
            wrong.append(WrongRow(row.number, *problem))
            continue
        found.append((row.number, mapping))
    wrong += _twice([(number, mapping[0]) for number, mapping in found], "mirakl_sku")
    none_wrong(file, wrong)
    return tuple(mapping for _, mapping in found)


def read_code_file(file: str, body: bytes) -> tuple[Carrier, ...]:
    """A marketplace's carriers from a CSV file with the columns code and label, and those of SH21 besides: the
    standard code is kept, the tracking URL not. Raises MapRefused, which names every wrong row."""
    rows, wrong = file_rows(file, body, ("code", "label"), ("standard_code", "tracking_url"))
    found: list[tuple[int, Carrier]] = []
    for row in rows:
        problem = _code_problem(row)
        if problem is not None:
            wrong.append(problem)
            continue
        carrier = Carrier(row.fields["code"], row.fields["label"], row.fields.get("standard_code", ""))
        found.append((row.number, carrier))
    wrong += _twice([(number, carrier.code) for number, carrier in found], "code")
    none_wrong(file, wrong)
    return tuple(carrier for _, carrier in found)


def _code_problem(row: Row) -> WrongRow | None:
    for field in ("code", "label"):
        if not row.fields[field]:
            return WrongRow(row.number, field, "It is empty.")
        if not _printable(row.fields[field]):
            why = f"It is longer than {LONGEST_FIELD} characters or holds characters that cannot be shown."
            return WrongRow(row.number, field, why)
    return None


def count_refused_file(c: Connection, kind: str) -> None:
    """Count a file that was not taken, by the kind of map it was for."""
    count(c, "map_file_refused", kind)


def _twice(keys: Sequence[tuple[int, str]], field: str) -> list[WrongRow]:
    first: dict[str, int] = {}
    found = []
    for number, key in keys:
        if key in first:
            found.append(WrongRow(number, field, f"It is the same as in row {first[key]}."))
        first.setdefault(key, number)
    return found


def none_wrong(file: str, wrong: Sequence[WrongRow]) -> None:
    """Raise MapRefused where a row is wrong. It names the wrong rows in their order, so many as a person can read."""
    if not wrong:
        return
    ordered = sorted(wrong, key=lambda row: row.number)
    first = ordered[0]
    said = [
        f"row {row.number}, field {row.field}: {row.why}" if row.field else f"row {row.number}: {row.why}"
        for row in ordered[:MOST_WRONG_ROWS]
    ]
    if len(ordered) == 1:
        sentence = f"{file}, {said[0]} Nothing of the file was taken; correct the row and give it again."
    else:
        more = len(ordered) - len(said)
        rest = [f"And {more} more."] if more else []
        last = "Nothing of the file was taken; correct the rows and give it again."
        sentence = "\n".join((f"{file}: {len(ordered)} rows are wrong.", *said, *rest, last))
    raise MapRefused(sentence, file, first.number, first.field)


def file_rows(
    file: str, body: bytes, needed: tuple[str, ...], allowed: tuple[str, ...]
) -> tuple[list[Row], list[WrongRow]]:
    """The rows of a CSV file with a header, and those that are none; comma, semicolon or tab between fields, UTF-8 with
    or without a mark. Raises MapRefused for a file that cannot be read as a table of these columns."""
    if len(body) > LARGEST_FILE_BYTES:
        raise MapRefused(
            f"{file}: the file is larger than {LARGEST_FILE_BYTES / 1024 / 1024:g} MiB. Nothing was taken. Split it and give "
            "its parts one after the other.",
            file,
        )
    text = _decoded(file, body)
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    if first.strip() == f"sep={delimiter}":
        # Some spreadsheet programs write so what stands between the fields.
        next(reader)
    columns: list[str] | None = None
    rows: list[Row] = []
    wrong: list[WrongRow] = []
    try:
        for fields in reader:
            number = reader.line_num
            values = [value.strip() for value in fields]
            if not any(values):
                continue
            if columns is None:
                columns = _columns(file, values, needed, allowed)
                continue
            row = _row(number, columns, values)
            if isinstance(row, Row):
                rows.append(row)
            else:
                wrong.append(row)
            if len(rows) + len(wrong) > MOST_ROWS:
                raise MapRefused(
                    f"{file}: more than {MOST_ROWS} rows. Nothing was taken; give it in several files.",
                    file,
                    number,
                )
    except csv.Error as broken:
        wrong.append(
            WrongRow(reader.line_num, "", f"It is not CSV ({broken}); nothing after it could be read.")
        )
    if not rows and not wrong:
        expected = ", ".join((*needed, *allowed))
        raise MapRefused(f"{file}: there is no row under a header of {expected}. Nothing was taken.", file)
    return rows, wrong


def _row(number: int, columns: Sequence[str], values: Sequence[str]) -> Row | WrongRow:
    if len(values) != len(columns):
        return WrongRow(
            number,
            columns[min(len(values), len(columns) - 1)],
            f"The row has {len(values)} fields where the header names {len(columns)}.",
        )
    given = {}
    for name, value in zip(columns, values, strict=True):
        # One that begins like a formula is meant when an apostrophe stands in front, as in our own files; the
        # apostrophe is not part of it.
        if looks_like_formula(value):
            return WrongRow(
                number,
                name,
                f"{value[:40]!r} begins like a formula of a spreadsheet. If it really is called so, put an apostrophe "
                "in front.",
            )
        quoted = value.startswith("'") and looks_like_formula(value[1:])
        given[name] = value[1:] if quoted else value
    return Row(number, given)


# How files begin that are zipped, as today's workbooks and all of LibreOffice's are, and those of the older Excel.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def _decoded(file: str, body: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 where its first bytes say so, as some spreadsheet programs write it."""
    if body.startswith(_WORKBOOKS):
        raise MapRefused(
            f"{file}: it is a workbook of a spreadsheet program or another archive, not a CSV file. Save it as CSV (UTF-8). "
            "Nothing was taken.",
            file,
        )
    try:
        if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return body.decode("utf-16")
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        number = body[: wrong.start].count(b"\n") + 1
        raise MapRefused(
            f"{file}, row {number}: the file is not UTF-8; letters outside of English would be taken for others. Save it "
            "as CSV (UTF-8). Nothing was taken.",
            file,
            number,
        ) from None


def _columns(file: str, header: list[str], needed: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    columns = [name.casefold() for name in header]
    for name in needed:
        if name not in columns:
            said = f"The header does not name it; it says: {', '.join(header)[:200]}."
            none_wrong(file, [WrongRow(1, name, said)])
    for name in columns:
        if name not in (*needed, *allowed):
            known = ", ".join((*needed, *allowed))
            none_wrong(
                file, [WrongRow(1, name[:60], f"There is no such column here; the columns are {known}.")]
            )
        if columns.count(name) > 1:
            none_wrong(file, [WrongRow(1, name, "The header names it twice.")])
    return columns
