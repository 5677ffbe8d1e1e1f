"""What really happened to one marketplace order: both platforms' effects on one line of time, moment by moment.

Another Shopify order may take the place of the first. At every moment the truth shows the one that stood then: the order
our plans had linked by that time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from interlock.orders.actions import EditShopifyOrder
from interlock.orders.codec import decode
from interlock.orders.memory import Decision, Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, BEFORE_DEBIT_DONE, DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, Marketplace, Reference
from interlock.shopify.names import LINE_ATTRIBUTE, ORDER_ATTRIBUTE
from interlock.simulator.mirakl.orders import SimOrder
from interlock.simulator.record import Effect
from interlock.simulator.shopify.state import Order

MEMORY, MIRAKL, SHOPIFY = "memory", "mirakl", "shopify"
_OF_SHOPIFY = (
    "order_created",
    "edited",
    "refund_created",
    "cancelled",
    "deleted",
    "fulfillment_created",
    "fulfillment_cancelled",
)
_OF_DRAFTS = ("draft_created", "draft_deleted", "draft_completed")
_SECOND = timedelta(seconds=1)
_EVER = datetime.min.replace(tzinfo=UTC)
LINKED = "linked"
WITHDRAWN = "withdrawn"
DECIDED = "decided to ship as edited"
SAID_TO_HAVE_LEFT = "said to have left"
SAID_TO_BE_GONE = "said to be gone"


@dataclass(frozen=True, slots=True)
class Moment:
    """How both sides stood from `at` until the next moment. Quantities are per marketplace line; `own` are the
    units per Shopify line; `left` are the fulfilled units but for those whose label was given back and that nobody said to have
    left; `strangers` are units on Shopify lines that stand for nothing that was sold. `gid` is the Shopify order that stands; `as_decided` says that a
    person had decided to ship exactly what it shows. `gone` and `away` are all fulfilled units and all that left, as Shopify
    counts them. `to_come` are the units that Shopify shows and those that were refunded after they had left: per marketplace line as far as they were ordered, and all together.

    Of a line that is a bundle `shown`, `fulfilled` and `left` count whole ones; articles beyond those are under the empty id
    of the latter two, as whatever left and was never sold. `broken` has the bundles whose articles make no whole ones, with
    how many would hold them all."""

    at: datetime
    side: str
    kind: str
    actor: str
    state: str
    agreed: dict[str, int]
    shown: dict[str, int]
    own: dict[str, int]
    fulfilled: dict[str, int]
    left: dict[str, int]
    strangers: int
    exists: bool
    live: bool
    drafts: tuple[str, ...]
    gid: str = ""
    as_decided: bool = False
    gone: int = 0
    away: int = 0
    to_come: Mapping[str, int] = field(default_factory=dict)
    all_to_come: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)

    @property
    def differing(self) -> tuple[str, ...]:
        """Marketplace lines of which the sides show different quantities, or articles that make no whole bundle, while
        both orders stand."""
        if not self.live or self.state in DEAD:
            return ()
        return tuple(
            line
            for line, quantity in self.agreed.items()
            if self.standing(line) != quantity or line in self.broken
        )

    def standing(self, line: str) -> int:
        """Units that the customer has or is to get: what has left counts also after it was refunded, along with what is
        still here of its line, as far as that was ordered."""
        return max(self.wanted(line), self.fulfilled.get(line, 0))

    def wanted(self, line: str) -> int:
        """Units the customer is to get by what Shopify shows, whatever left: a unit refunded after it had left is one."""
        return max(self.shown.get(line, 0), self.to_come.get(line, 0))

    @property
    def agrees(self) -> bool:
        return not self.differing and self.strangers == 0

    @property
    def must_not_move(self) -> bool:
        """Whether nothing of the order may leave: it is not to ship, or the sides disagree."""
        if self.state in GONE_OUT:
            return False
        return self.state != "SHIPPING" or not (self.agrees or self.as_decided)

    @property
    def unfulfilled(self) -> int:
        return max(0, self.all_to_come - self.gone) if self.live else 0

    @property
    def beyond_what_was_sold(self) -> bool:
        """Whether Shopify shows units that were never sold or were taken back, and units of it are unfulfilled."""
        more = any(units > self.agreed.get(line, 0) for line, units in self.shown.items())
        return (more or self.strangers > 0) and self.unfulfilled > 0

    @property
    def still_here(self) -> int:
        """Units of the order that have not left, those in fulfillments whose label was given back included."""
        return max(0, self.all_to_come - self.away) if self.live else 0


@dataclass(frozen=True, slots=True)
class ShownInstead:
    """A span in which the marketplace showed `fields` of an order with values nobody knows."""

    fields: Mapping[str, Any]
    since: datetime
    until: datetime
    """When it was shown as it is again; the end of the history where it never was."""

    @property
    def hides_the_state(self) -> bool:
        return "order_state" in self.fields


@dataclass(frozen=True, slots=True)
class HeldTime:
    """Our hold on one fulfillment order: from when to when, and who took it off."""

    began: datetime
    ended: datetime | None
    released_by: str


@dataclass
class Parcel:
    """A fulfillment order of a Shopify order of the lineage: when it came, when nothing was left in it, when we held it."""

    gid: str
    order_gid: str
    born: datetime
    gone: datetime | None
    held: list[HeldTime] = field(default_factory=list)

    def is_held(self, at: datetime) -> bool:
        return any(hold.began <= at and (hold.ended is None or hold.ended > at) for hold in self.held)

    def held_from(self, at: datetime) -> datetime | None:
        """When our hold is on, looking from `at` on: `at` itself when it is on already, None when never again."""
        if self.is_held(at):
            return at
        return next((hold.began for hold in self.held if hold.began >= at), None)

    def releases(self, by_us: str) -> list[datetime]:
        """When somebody else took our hold off."""
        return [
            hold.ended for hold in self.held if hold.ended is not None and hold.released_by not in ("", by_us)
        ]


@dataclass
class Truth:
    """One marketplace order as it really was, with the Shopify order that stands for it and our row."""

    marketplace: Marketplace
    order: SimOrder
    row: Row[Any] | None
    memory: Memory
    shopify_gid: str
    moments: list[Moment]
    parcels: dict[str, Parcel]
    line_of: dict[str, str]
    made_by_us: tuple[str, ...]
    linked: tuple[tuple[datetime, str], ...] = ()
    articles: "_Articles" = field(default_factory=lambda: _Articles({}, {}))

    @property
    def id(self) -> str:
        return self.order.id

    @property
    def marker(self) -> str:
        return f"{self.marketplace.name}:{self.order.id}"

    @property
    def last(self) -> Moment:
        return self.moments[-1]

    def shown_instead(self, evidence: Evidence) -> list[ShownInstead]:
        """The spans in which the marketplace showed values nobody knows, in order."""
        effects = [effect for effect in self.marketplace.record.effects if effect.order_id == self.id]
        found = []
        for index, effect in enumerate(effects):
            if effect.kind == "shown_instead":
                later = (other.at for other in effects[index:] if other.kind == "shown_as_is")
                found.append(ShownInstead(effect.detail["fields"], effect.at, next(later, evidence.now)))
        return found

    def at(self, moment: datetime) -> Moment:
        """How things stood at that moment, what happened in it included."""
        index = bisect_right([each.at for each in self.moments], moment) - 1
        return self.moments[max(index, 0)]

    def before(self, moment: datetime) -> Moment:
        """How things stood just before that moment."""
        index = bisect_left([each.at for each in self.moments], moment) - 1
        return self.moments[max(index, 0)]

    def cause(self, first: Moment) -> Moment:
        """What brought about that nothing may leave from `first` on: for an order that came into a state in which
        nothing may leave, the marketplace's own change to that state; for units that came back into the warehouse, the
        change at the marketplace by which the sides had come to differ while they were away; for an order that was made
        with more than is agreed, the marketplace's change before it."""
        if first.side == MIRAKL or first.state in GONE_OUT:
            return first
        if first.kind == "order_created" and first.state == "SHIPPING":
            return self._cut_before(first) or first
        found = first
        before = reversed(self.moments[: self.moments.index(first)])
        if first.state == "SHIPPING":
            for earlier in before:
                if not earlier.must_not_move:
                    break
                found = earlier
            return found if found.side == MIRAKL else first
        for earlier in before:
            if earlier.state == "SHIPPING" or earlier.state in GONE_OUT:
                break
            if earlier.side == MIRAKL:
                found = earlier
        return found

    def _cut_before(self, made: Moment) -> Moment | None:
        """The last change of what is agreed before the Shopify order was made, if there was any."""
        place = self.moments.index(made)
        for before, after in zip(
            self.moments[place - 2 :: -1], self.moments[place - 1 : 0 : -1], strict=False
        ):
            if after.side == MIRAKL and after.agreed != before.agreed and any(before.agreed.values()):
                return after
        return None

    def since(self, moment: datetime) -> list[Moment]:
        """The moments after that one."""
        return self.moments[bisect_right([each.at for each in self.moments], moment) :]

    def lowest_shown(self, line: str) -> int:
        """The fewest units Shopify ever showed of the line once its order existed; what is cancelled shows none, unless
        another order took its place."""
        shown: list[int] = []
        gone = 0
        for moment in self.moments:
            if moment.kind == LINKED and moment.live:
                shown = shown[: len(shown) - gone]
            if moment.exists:
                shown.append(moment.shown.get(line, 0) if moment.live else 0)
            gone = 0 if moment.live else gone + 1
        return min(shown, default=0)

    @property
    def gids(self) -> tuple[str, ...]:
        """Every Shopify order that ever stood for this one, the first first."""
        return tuple(dict.fromkeys(gid for _, gid in self.linked))

    def gid_at(self, at: datetime) -> str:
        """The Shopify order that stood at that moment; before there was one, the first."""
        standing = [gid for since, gid in self.linked if since <= at]
        return standing[-1] if standing else (self.linked[0][1] if self.linked else "")

    def stood(self, gid: str) -> list[tuple[datetime, datetime | None]]:
        """From when to when this Shopify order stood for the marketplace order."""
        found: list[tuple[datetime, datetime | None]] = []
        for index, (since, standing) in enumerate(self.linked):
            if standing == gid:
                began = _EVER if index == 0 else since
                after = self.linked[index + 1][0] if index + 1 < len(self.linked) else None
                found.append((began, after))
        return found

    def effects(self, evidence: Evidence) -> Iterator[Effect]:
        """What happened in Shopify to the order that stood at that moment."""
        for gid in self.gids:
            for effect in evidence.shopify_effects_of.get(gid, []):
                if self.gid_at(effect.at) == gid:
                    yield effect

    def ordered(self, line: str) -> int:
        found = self.order.line(line)
        return 0 if found is None else found.quantity

    def cancelled_at(self, line: str, at: datetime) -> int:
        """How many units of the line the marketplace had cancelled by then, whoever did it."""
        return sum(
            effect.detail["quantity"]
            for effect in self.marketplace.record.effects
            if effect.kind == "cancelation"
            and effect.order_id == self.id
            and effect.detail["line"] == line
            and effect.at <= at
        )

    def spans(self) -> Iterator[tuple[Moment, datetime | None]]:
        """Every moment with when it ended, None for the last."""
        for index, moment in enumerate(self.moments):
            after = self.moments[index + 1].at if index + 1 < len(self.moments) else None
            yield moment, after


def truths(evidence: Evidence) -> list[Truth]:
    """The truth about every marketplace order, in the order they were made."""
    found = []
    created, drafts = _made_for(evidence)
    for marketplace in evidence.marketplaces:
        effects: dict[str, list[Effect]] = {}
        for effect in marketplace.record.effects:
            effects.setdefault(effect.order_id, []).append(effect)
        for order in marketplace.world.by_creation:
            marker = f"{marketplace.name}:{order.id}"
            found.append(
                _truth(
                    evidence,
                    marketplace,
                    order,
                    effects.get(order.id, []),
                    created.get(marker, []),
                    drafts.get(marker, []),
                )
            )
    return found


def _made_for(evidence: Evidence) -> tuple[dict[str, list[Effect]], dict[str, list[Effect]]]:
    """By marker: the orders our app made, and the drafts it made."""
    created: dict[str, list[Effect]] = {}
    drafts: dict[str, list[Effect]] = {}
    for effect in evidence.shopify.record.effects:
        if effect.actor != evidence.us or effect.kind not in ("order_created", "draft_created"):
            continue
        marker = effect.detail.get("custom_attributes", {}).get(ORDER_ATTRIBUTE)
        if marker:
            (created if effect.kind == "order_created" else drafts).setdefault(marker, []).append(effect)
    return created, drafts


def _truth(
    evidence: Evidence,
    marketplace: Marketplace,
    order: SimOrder,
    effects: list[Effect],
    created: list[Effect],
    drafts: list[Effect],
) -> Truth:
    row = evidence.row_of.get((marketplace.connection_id, order.id))
    memory = Memory() if row is None else evidence.memories[row.id]
    gids = tuple(effect.order_id for effect in created)
    links = tuple(evidence.links.get(row.id, ())) if row is not None else ()
    if not links and gids:
        links = ((created[0].at, gids[0]),)
    ever = tuple(dict.fromkeys(gid for _, gid in links))
    articles = _Articles.of(evidence, order)
    line_of = _line_links(evidence, memory, ever, articles)
    happened: list[tuple[datetime, int, str, Effect | _Noted]] = [
        (effect.at, 0, MIRAKL, effect) for effect in effects
    ]
    for gid in (*ever, *(draft.order_id for draft in drafts)):
        happened += [
            (effect.at, 1, SHOPIFY, effect)
            for effect in evidence.shopify_effects_of.get(gid, [])
            if effect.kind in (*_OF_SHOPIFY, *_OF_DRAFTS)
        ]
        about_labels = _about_labels_given_back(evidence.shopify_effects_of.get(gid, []))
        happened += [(effect.at, 1, SHOPIFY, effect) for effect in about_labels]
    happened += [(withdrawn.at, 2, MEMORY, _Noted(WITHDRAWN)) for withdrawn in memory.withdrawn]
    happened += [(at, 2, MEMORY, _Noted(LINKED, gid)) for at, gid in links[1:]]
    happened += [
        (_decided_at(evidence, memory, said), 2, MEMORY, _Noted(DECIDED))
        for said in memory.decisions
        if said.option is Option.SHIP_AS_EDITED
    ]
    happened += [
        (said.at, 2, MEMORY, _said_to_have_left(said.subject)) for said in _words_of_packers(evidence, row)
    ]
    happened += [
        (said.at - evidence.ahead, 2, MEMORY, _Noted(SAID_TO_BE_GONE, said.subject))
        for said in memory.decisions
        if said.reason is Reason.SHOPIFY_ORDER_MISSING
    ]
    happened.sort(key=lambda item: item[:2])
    telling = _Telling(marketplace, order, memory, line_of, ever[0] if ever else "", articles)
    moments = [telling.tell(at, side, event) for at, _, side, event in happened]
    gid = links[-1][1] if links else ""
    truth = Truth(
        marketplace, order, row, memory, gid, moments or [telling.first()], {}, line_of, gids, links, articles
    )
    for each in ever:
        shopify = evidence.shopify_orders.get(each)
        if shopify is not None:
            truth.parcels.update(_parcels(evidence, shopify))
    return truth


def _words_of_packers(evidence: Evidence, row: Row[Any] | None) -> list[Row[Any]]:
    """What people answered where a label had been given back: that the parcel left under the number it shows."""
    return evidence.answers_of(row, Option.LEFT_UNDER_NUMBER.value)


def _said_to_have_left(subject: str) -> "_Noted":
    fulfillment, _, number = subject.partition(" ")
    return _Noted(SAID_TO_HAVE_LEFT, fulfillment, number)


def _decided_at(evidence: Evidence, memory: Memory, said: Decision) -> datetime:
    """When a person's decision held. One that came with an edit of our desk is about what that edit made, so it comes
    after it, however wrong the clock of the machine was that kept it."""
    edits = [
        edit.id
        for edit in memory.desk_edits
        if (edit.decision, edit.who, edit.why) == (said.option, said.who, said.why)
    ]
    made = [
        effect.at
        for effect in evidence.shopify.record.effects
        if effect.kind == "edited" and effect.actor == evidence.us and _subject_of(evidence, effect) in edits
    ]
    return max(said.at - evidence.ahead, *made) if made else said.at - evidence.ahead


def _subject_of(evidence: Evidence, effect: Effect) -> str:
    reference = Reference.of(effect.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    if row is None or row.kind != "EditShopifyOrder":
        return ""
    action: EditShopifyOrder = decode(EditShopifyOrder, row.action)
    return action.subject


@dataclass(frozen=True, slots=True)
class _Noted:
    """Something that neither platform did: units counted as withdrawn, another order linked, a person's decision, or word
    that a fulfillment left under the number it shows, or that an order which staff deleted is gone: until then it stays what
    it was."""

    kind: str
    gid: str = ""
    number: str = ""


@dataclass
class _Side:
    """One Shopify order as its effects leave it."""

    exists: bool = False
    live: bool = False
    deleted: bool = False
    own: dict[str, int] = field(default_factory=dict)
    fulfilled: dict[str, int] = field(default_factory=dict)
    had_left: dict[str, int] = field(default_factory=dict)
    fulfillments: dict[str, dict[str, int]] = field(default_factory=dict)
    numbers: dict[str, list[str]] = field(default_factory=dict)
    given_back: dict[str, list[str]] = field(default_factory=dict)
    said_to_have_left: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, int]:
        """The fulfilled units but for those of fulfillments whose label was given back and that show no other number, nor
        one under which a person said that they left."""
        left = dict(self.fulfilled)
        for gid, numbers in self.given_back.items():
            now = self.numbers.get(gid, [])
            if (now and now != numbers) or next(iter(now), "") in self.said_to_have_left.get(gid, {}):
                continue
            for line, count in self.fulfillments.get(gid, {}).items():
                left[line] -= count
        return left

    @property
    def to_come(self) -> dict[str, int]:
        """What Shopify shows per line and the units that were refunded after they had left: it takes those out of what it
        shows, and goes on waiting for all the others."""
        return {
            gid: units + (self.had_left.get(gid, 0) if self.fulfilled.get(gid, 0) else 0)
            for gid, units in self.own.items()
        }

    def end(self) -> None:
        self.live = False
        self.own = dict.fromkeys(self.own, 0)

    def tell(self, effect: Effect) -> None:
        detail = effect.detail
        match effect.kind:
            case "order_created":
                self.exists = self.live = True
                self.own = {line["line_id"]: line["quantity"] for line in detail["lines"]}
            case "edited":
                self.own = {line["line_id"]: line["quantity"] for line in detail["lines"]}
            case "refund_created":
                for line in detail["lines"]:
                    left = self.own.get(line["line_id"], 0) - line["quantity"]
                    self.own[line["line_id"]] = max(left, 0)
                    had_left = self.had_left.get(line["line_id"], 0) + line["had_left"]
                    self.had_left[line["line_id"]] = had_left
            case "cancelled":
                self.end()
            case "deleted":
                self.deleted = True
            case "fulfillment_created":
                units: dict[str, int] = {}
                for line in detail["lines"]:
                    units[line["line_id"]] = units.get(line["line_id"], 0) + line["quantity"]
                self.fulfillments[detail["fulfillment"]] = units
                self.numbers[detail["fulfillment"]] = numbers_of(effect)
                self._fulfil(units, 1)
            case "fulfillment_cancelled":
                self._fulfil(self.fulfillments.pop(detail["fulfillment"], {}), -1)
            case "tracking_updated":
                self.numbers[detail["fulfillment"]] = numbers_of(effect)
            case "display_status_changed":
                self.given_back.pop(detail["fulfillment"], None)
                if detail["display_status"] == "LABEL_VOIDED":
                    self.given_back[detail["fulfillment"]] = self.numbers.get(detail["fulfillment"], [])
            case _:
                raise AssertionError(effect.kind)

    def _fulfil(self, units: dict[str, int], sign: int) -> None:
        for line, count in units.items():
            self.fulfilled[line] = self.fulfilled.get(line, 0) + sign * count


def numbers_of(effect: Effect) -> list[str]:
    """The tracking numbers that a change to a fulfillment gave it."""
    return [number for _, number in effect.detail["tracking"] if number]


def _about_labels_given_back(effects: list[Effect]) -> list[Effect]:
    """What happened to the labels of fulfillments of which one was given back; what happens to others says nothing of
    which units left."""
    kinds = ("display_status_changed", "tracking_updated")
    voided = {
        effect.detail["fulfillment"]
        for effect in effects
        if effect.kind == "display_status_changed" and effect.detail["display_status"] == "LABEL_VOIDED"
    }
    return [e for e in effects if e.kind in kinds and e.detail["fulfillment"] in voided]


@dataclass(frozen=True)
class _Articles:
    """What the shop's people said the bundles of an order are made of: `of_line` are the units of each article, by SKU, in
    one unit of a marketplace line that is a bundle; `article` the SKU on each Shopify line of a variant."""

    of_line: Mapping[str, Mapping[str, int]]
    article: Mapping[str, str]

    @classmethod
    def of(cls, evidence: Evidence, order: SimOrder) -> "_Articles":
        of_line = {
            line.id: evidence.bundles[line.sku] for line in order.lines if line.sku in evidence.bundles
        }
        return cls(of_line, evidence.variant_skus if of_line else {})

    def are_sold_as(self, line_id: str, gid: str) -> bool:
        """Whether a Shopify line may stand for this marketplace line: of a bundle it is one of the articles, or a custom line
        for the whole of it."""
        return (
            line_id not in self.of_line
            or gid not in self.article
            or self.article[gid] in self.of_line[line_id]
        )

    def counted(self, units: Mapping[str, int], line_of: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """Units of each article, by bundle line."""
        found = {line_id: dict.fromkeys(parts, 0) for line_id, parts in self.of_line.items()}
        for gid, count in units.items():
            line_id = line_of.get(gid, "")
            if line_id in found and gid in self.article:
                found[line_id][self.article[gid]] += count
        return found

    def whole(self, line_id: str, units: Mapping[str, int]) -> int:
        """How many whole bundles these articles make."""
        return min(units[sku] // each for sku, each in self.of_line[line_id].items())

    def needed(self, line_id: str, units: Mapping[str, int]) -> int:
        """How many bundles would hold all of these articles."""
        return max(-(-units[sku] // each) for sku, each in self.of_line[line_id].items())

    def per_line(self, units: Mapping[str, int], line_of: Mapping[str, str]) -> dict[str, int]:
        """Units per marketplace line, of bundles whole ones; under the empty id whatever stands for nothing that was sold,
        also in part."""
        found: dict[str, int] = {}
        for gid, count in units.items():
            line_id = line_of.get(gid, "")
            if line_id in self.of_line and gid in self.article:
                continue
            found[line_id] = found.get(line_id, 0) + count
        for line_id, of_line in self.counted(units, line_of).items():
            whole = self.whole(line_id, of_line)
            found[line_id] = found.get(line_id, 0) + whole
            loose = sum(of_line.values()) - whole * sum(self.of_line[line_id].values())
            if loose:
                found[""] = found.get("", 0) + loose
        return found


def _line_links(
    evidence: Evidence, memory: Memory, gids: tuple[str, ...], articles: _Articles
) -> dict[str, str]:
    """Which marketplace line each Shopify line stands for: what we remember, else the line's own attribute. What is no
    article of a bundle does not stand for it, whatever is said."""
    found: dict[str, str] = {}
    orders = [evidence.shopify_orders[gid] for gid in gids if gid in evidence.shopify_orders]
    for line in (line for order in orders for line in order.lines):
        attribute = dict(line.attributes).get(LINE_ATTRIBUTE)
        if attribute:
            found[line.gid] = attribute
    found.update({link.shopify_line_id: link.mirakl_line_id for link in memory.links})
    return {gid: line_id for gid, line_id in found.items() if articles.are_sold_as(line_id, gid)}


class _Telling:
    """Turns effects into moments, one after the other."""

    def __init__(
        self,
        marketplace: Marketplace,
        order: SimOrder,
        memory: Memory,
        line_of: dict[str, str],
        gid: str,
        articles: _Articles,
    ) -> None:
        self.order = order
        self.memory = memory
        self.line_of = line_of
        self.articles = articles
        self.shipping_counts = (
            marketplace.world.switches["line_state_after_product_cancelation"] == "product_and_shipping"
        )
        self.state = "STAGING"
        self.refused: dict[str, None] = {}
        self.cancelled = {line.id: 0 for line in order.lines}
        self.product = {line.id: Decimal(0) for line in order.lines}
        self.shipping = {line.id: Decimal(0) for line in order.lines}
        self.sides: dict[str, _Side] = {gid: _Side()}
        self.gid = gid
        self.decided: dict[str, int] | None = None
        self.drafts: dict[str, None] = {}

    def first(self) -> Moment:
        return self._moment(self.order.created, MIRAKL, "created", "customer")

    def tell(self, at: datetime, side: str, event: Effect | _Noted) -> Moment:
        if isinstance(event, _Noted):
            self._noted(event)
            return self._moment(at, side, event.kind, "")
        if side == MIRAKL:
            self._mirakl(event)
        elif event.kind in _OF_DRAFTS:
            self._drafts(event)
        else:
            self.sides.setdefault(event.order_id, _Side()).tell(event)
        return self._moment(at, side, event.kind, event.actor)

    def _noted(self, noted: _Noted) -> None:
        if noted.kind == LINKED:
            self.gid = noted.gid
            self.sides.setdefault(noted.gid, _Side())
            self.decided = None
        elif noted.kind == DECIDED:
            self.decided = dict(self.sides[self.gid].to_come)
        elif noted.kind == SAID_TO_HAVE_LEFT:
            for side in self.sides.values():
                side.said_to_have_left.setdefault(noted.gid, {})[noted.number] = None
        elif noted.kind == SAID_TO_BE_GONE and noted.gid in self.sides:
            self.sides[noted.gid].end()

    def _drafts(self, effect: Effect) -> None:
        if effect.kind == "draft_created":
            self.drafts[effect.order_id] = None
        else:
            self.drafts.pop(effect.order_id, None)

    def _mirakl(self, effect: Effect) -> None:
        detail = effect.detail
        match effect.kind:
            case "created":
                self.state = detail["state"]
            case "state":
                self.state = detail["to"]
            case "refused" | "auto_refused":
                self.refused.update(dict.fromkeys(detail["lines"]))
            case "cancelation":
                line = detail["line"]
                self.cancelled[line] += detail["quantity"]
                self.product[line] += detail["amount"]
                self.shipping[line] += detail["shipping_amount"]
            case _:
                pass

    def _dead(self, line_id: str) -> bool:
        if line_id in self.refused or self.state in DEAD:
            return True
        line = self.order.line(line_id)
        if line is None or (not self.cancelled[line_id] and not self.product[line_id]):
            return False
        gone = self.product[line_id] >= line.ordered.product
        if self.shipping_counts:
            gone = gone and self.shipping[line_id] >= line.ordered.shipping
        return gone

    def _moment(self, at: datetime, side: str, kind: str, actor: str) -> Moment:
        agreed = {}
        for line in self.order.lines:
            withdrawn = sum(w.quantity for w in self.memory.withdrawn if w.line_id == line.id and w.at <= at)
            left = line.quantity - self.cancelled[line.id] - withdrawn
            agreed[line.id] = 0 if self._dead(line.id) else max(left, 0)
        side_now = self.sides[self.gid]
        shown = self.articles.per_line(side_now.own, self.line_of)
        strangers = sum(units for gid, units in side_now.own.items() if not self.line_of.get(gid))
        shown.pop("", None)
        away = side_now.left
        # Of an order that was deleted nothing is left to be done once the marketplace order has ended.
        to_come = side_now.to_come
        live = side_now.live and not (side_now.deleted and self.state in DEAD)
        return Moment(
            at,
            side,
            kind,
            actor,
            self.state,
            agreed,
            shown,
            dict(side_now.own),
            self.articles.per_line(side_now.fulfilled, self.line_of),
            self.articles.per_line(away, self.line_of),
            strangers if live else 0,
            side_now.exists,
            live,
            tuple(self.drafts),
            self.gid,
            self._as_decided(to_come, agreed),
            sum(side_now.fulfilled.values()),
            sum(away.values()),
            self._as_ordered(to_come),
            sum(to_come.values()),
            self._broken(side_now),
        )

    def _as_ordered(self, units: Mapping[str, int]) -> dict[str, int]:
        per_line = self.articles.per_line(units, self.line_of)
        return {line.id: min(per_line.get(line.id, 0), line.quantity) for line in self.order.lines}

    def _as_decided(self, to_come: dict[str, int], agreed: dict[str, int]) -> bool:
        """Whether the order still is what a person decided to ship, whatever was refunded of it after it had left. Units that
        the marketplace cancelled as well, and that went out of a line on which both sides agree now, were no part of that."""
        if self.decided is None:
            return False
        per_line = self.articles.per_line(to_come, self.line_of)
        for gid in to_come.keys() | self.decided.keys():
            units, then, line = to_come.get(gid, 0), self.decided.get(gid, 0), self.line_of.get(gid)
            if units != then and not (line and units < then and per_line.get(line, 0) == agreed[line]):
                return False
        return True

    def _broken(self, side: _Side) -> dict[str, int]:
        """The bundles whose articles are not in step. What has left counts also after it was refunded."""
        if not self.articles.of_line:
            return {}
        to_come = side.to_come
        there = {
            gid: max(to_come.get(gid, 0), side.fulfilled.get(gid, 0)) for gid in (*to_come, *side.fulfilled)
        }
        return {
            line_id: self.articles.needed(line_id, units)
            for line_id, units in self.articles.counted(there, self.line_of).items()
            if self.articles.whole(line_id, units) != self.articles.needed(line_id, units)
        }


# -- parcels -----------------------------------------------------------------------------------------------


def _parcels(evidence: Evidence, shopify: Order) -> dict[str, Parcel]:
    effects = evidence.shopify_effects_of.get(shopify.gid, [])
    deleted_at = evidence.deleted.get(shopify.gid)
    found = {}
    for item in shopify.fulfillment_orders:
        # The platform writes whole seconds; the fulfillment order came at some time in that one.
        # It closes when nothing is left to ship from it: shipped, moved away, taken out by an edit, or its order was deleted.
        parcel = Parcel(
            item.gid, shopify.gid, item.created_at + _SECOND, _earlier(item.closed_at, deleted_at)
        )
        open_holds: dict[str, datetime] = {}
        for effect in effects:
            if effect.detail.get("fulfillment_order") != item.gid or effect.detail.get("app") != evidence.app:
                continue
            hold = effect.detail.get("hold_id", "")
            if effect.kind == "hold_placed":
                open_holds[hold] = effect.at
            elif effect.kind == "hold_released" and hold in open_holds:
                parcel.held.append(HeldTime(open_holds.pop(hold), effect.at, effect.actor))
        parcel.held += [HeldTime(began, None, "") for began in open_holds.values()]
        parcel.held.sort(key=lambda held: held.began)
        if parcel.held:
            parcel.born = min(parcel.born, parcel.held[0].began)
        found[item.gid] = parcel
    return found


def _earlier(closed_at: datetime | None, deleted_at: datetime | None) -> datetime | None:
    return min((at for at in (closed_at, deleted_at) if at is not None), default=None)


def not_moving_because(moment: Moment) -> str:
    """Why nothing may leave at this moment, in words."""
    if moment.state in BEFORE_ACCEPTANCE or moment.state in BEFORE_DEBIT_DONE or moment.state in DEAD:
        return f"the marketplace says {moment.state}"
    if moment.strangers:
        return f"{moment.strangers} units stand for nothing that was sold"
    parts = [
        f"{line}: Shopify {moment.standing(line)}, agreed {moment.agreed[line]}"
        + (f", and articles for {moment.broken[line]}" if line in moment.broken else "")
        for line in moment.differing
    ]
    return "the sides differ: " + ", ".join(parts)
