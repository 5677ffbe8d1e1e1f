"""One run of one order: take the lease, observe, decide, keep, perform, and observe again until nothing is left to do."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, exists, insert, select

from interlock.cancellations.missing import as_cancelled, gone_unseen, seen_without_the_order
from interlock.cases.store import answers, sync_cases, take_answers, waiting_answers
from interlock.clock import Clock, Identifiers
from interlock.decide import decide
from interlock.desk.store import desk_edits, take_edits, waiting_edits
from interlock.engine import ledger
from interlock.engine.capabilities import keep_observation
from interlock.engine.earlier_carriers import earlier_choices
from interlock.engine.gateways import ConnectedPlatforms, Connections, Document, Unreadable
from interlock.engine.queue import Queue
from interlock.engine.sending import SEND_BY
from interlock.engine.store import MIRAKL_ACCOUNT, connections, count, polls
from interlock.engine.walking import stale_after
from interlock.holds.decide import on_sight
from interlock.imports.bundles import offer_of_bundle
from interlock.imports.earlier import sold_before_live
from interlock.imports.found import made_for, that_count
from interlock.imports.store import shop_skus
from interlock.marketplaces.observed import observed, window_shown
from interlock.offers.matching import Component
from interlock.offers.store import bundles
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    Lane,
    MarkOrder,
    RefundLines,
    SendMessage,
    SetOrderAddress,
    StatusAction,
    TellsTracking,
)
from interlock.orders.changes import OURSELVES, Change, History, content_of, never_changed
from interlock.orders.codec import decode, encode
from interlock.orders.connection import EarlierChoice
from interlock.orders.memory import Decision, DeskEdit, Incident, Memory
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable
from interlock.orders.plan import Case, Plan, earliest, latest
from interlock.orders.ports import OrderContext, ReadFailed
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.restraint import restrained
from interlock.orders.snapshots import DEAD, ENDED, GONE_OUT, Draft, MiraklOrder, Offer, ShopifyOrder
from interlock.orders.store import (
    LeaseLost,
    OrderRow,
    claims_of,
    forget_fulfillment_orders,
    forget_kin,
    hour_of,
    keep_lineage,
    keep_strangers,
    kin,
    kin_of,
    label_columns,
    mirakl_documents,
    note_kin,
    orders,
    plans,
    read_order,
    release_lease,
    remember_fulfillment_orders,
    still_mine,
    stop_watching,
    take_lease,
    tell,
)
from interlock.orders.texts import forget_texts, kept_text
from interlock.orders.timeline import sentence_of, sentence_of_change
from interlock.orders.view import Claim, OpenOperation, RefundMade, View, unread_since
from interlock.quarantine.store import Quarantine, quarantines
from interlock.quarantine.store import latest as latest_quarantine
from interlock.replacements.twins import is_twin
from interlock.shipping.telling import carriers_asked_about
from interlock.shop_status.decide import is_to_be_cleared
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring

LEASE = timedelta(seconds=60)
MOST_CYCLES = 16
ACCEPT_FOR = timedelta(seconds=60)
SEND_WITHIN_SECONDS = 2.0
READ_AGAIN = timedelta(seconds=15)
KIN_WATCHED_FOR = timedelta(days=1)

_LAST_PLAN = (
    select(plans.c.plan).where(plans.c.order_id == bindparam("of_order")).order_by(plans.c.id.desc()).limit(1)
)

_LAST_SHOWN = (
    select(plans.c.view)
    .where(
        plans.c.order_id == bindparam("of_order"),
        plans.c.view["shopify"]["id"].astext == bindparam("shopify_id"),
    )
    .order_by(plans.c.id.desc())
    .limit(1)
)

Probe = Callable[[str], None]


class Alarm(Protocol):
    """Tells of an urgent case that is new or became worse. It holds no personal data: reason, numbers, time left."""

    def __call__(self, connection: str, mirakl_order: str, case: Case) -> None: ...


def no_alarm(connection: str, mirakl_order: str, case: Case) -> None:
    """Nobody listens: a rehearsal reads the cases themselves."""
    del connection, mirakl_order, case


def no_probe(name: str) -> None:
    """Called at every named moment between a commit and a send. Production does nothing there."""
    del name


@dataclass(frozen=True)
class EngineParts:
    """What a run is made of. `probe` is called at named moments so that a test can end the worker there; `alarm`
    once the plan that opened an urgent case, or made it worse, is kept."""

    store: Store
    clock: Clock
    identifiers: Identifiers
    queue: Queue
    connections: Connections
    keyring: Keyring
    worker: str
    probe: Probe = no_probe
    alarm: Alarm = no_alarm


@dataclass(frozen=True, slots=True)
class Observation:
    """What the platforms showed in this cycle."""

    at: datetime
    shopify: ShopifyOrder | None = None
    shopify_gone: bool = False
    drafts: tuple[Draft, ...] = ()
    offers: tuple[Offer, ...] = ()
    kin: tuple[ShopifyOrder, ...] = ()
    claims: tuple[Claim, ...] = ()
    unreadable: str = ""
    retry_after: float | None = None
    earlier_carriers: tuple[EarlierChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database knows beside the order's row. `walked_at` is when the last whole walk over what changed at the
    marketplace began, and `old_after` how old what it showed may be."""

    operations: tuple[OpenOperation, ...]
    answers: tuple[tuple[int, Decision], ...]
    requests: tuple[DeskEdit, ...]
    learnt: dict[str, str]
    unclear_draft: bool
    unclear_order: bool
    unclear_completion: bool
    refunds_made: tuple[RefundMade, ...]
    messages_sent: tuple[str, ...]
    trackings_told: tuple[TellsTracking, ...]
    kin: tuple[str, ...]
    claims: tuple[Claim, ...]
    quarantine: Quarantine | None
    walked_at: datetime | None
    old_after: timedelta
    document: tuple[datetime, Document] | None


Stored = tuple[Kept, tuple[datetime, bytes] | None]
"""What was read in one transaction: the document, when there is one, still encrypted, with the time it was observed."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a cycle ended: `rests` when the order was given back, `look_at` when it is looked at again at the latest,
    `waits_until` when its acceptance is asked for again then."""

    todo: ledger.Reconciled
    rests: bool
    look_at: datetime | None
    waits_until: datetime | None


async def look_at(parts: EngineParts, order_id: int, steal_after: timedelta | None = None) -> bool:
    """Run one order to rest. False when another worker has it.

    `steal_after` lets the acceptance watchdog take the order from a worker that holds it longer than that.
    """
    now = parts.clock.now()
    steal = None if steal_after is None else now - steal_after
    read = parts.connections.reader()

    def lease(c: Connection) -> tuple[OrderRow, Callable[[], ConnectedPlatforms], Stored] | None:
        row = take_lease(c, order_id, parts.worker, now, now + LEASE, steal)
        if row is None:
            return None
        ledger.everything_in_flight_is_unclear(c, row.id, row.epoch, now)
        return row, read(c, row.connection_id), read_stored(c, row.id)

    leased = await parts.store.tx(lease)
    if leased is None:
        return False
    row, connected, stored = leased
    try:
        if row.taken_over:
            # The former writer may have committed a call that has not left yet; after this it will not leave any more.
            await parts.clock.sleep(SEND_WITHIN_SECONDS + 0.1)
        await _Run(parts, connected(), row).until_rest(stored)
    except LeaseLost:
        # The worker that took over goes on from what was kept; everything of ours that mattered is kept.
        await parts.store.tx(lambda c: count(c, "lease_lost"))
        return False
    return True


async def view_now(parts: EngineParts, order_id: int) -> View:
    """What a look at this moment would decide on; both sides are only read, and nothing is kept."""
    row = await parts.store.tx(lambda c: read_order(c, order_id))
    run = _Run(parts, await parts.connections.get(row.connection_id), row)
    kept = await run.read_kept()
    mirakl = run.snapshot(kept.document)
    observation = await run.observe(kept, mirakl)
    await run.read_history(observation)
    return run.view(kept, mirakl, observation)


class _Run:
    """The state of one run: the row as last kept, and what was learnt on the way."""

    def __init__(self, parts: EngineParts, platforms: ConnectedPlatforms, row: OrderRow) -> None:
        self.parts = parts
        self.platforms = platforms
        self.row = row
        self.memory = row.memory
        self.said: tuple[str, ...] | None = None
        self.plan_digest = ""
        self.mirakl_written_at = row.mirakl_written_at
        self.history = row.history
        self.news: tuple[Change, ...] = ()
        self.accepting_since: datetime | None = None
        self.counted = False
        self.status_told = False

    async def until_rest(self, stored: Stored) -> None:
        for cycle in range(MOST_CYCLES):
            # What was read with the lease serves the first cycle, unless time went by since.
            kept = await self.read_kept() if cycle or self.row.taken_over else self._opened(stored)
            mirakl = self.snapshot(kept.document)
            observation = await self.observe(kept, mirakl)
            held = cycle == 0 and await self._hold_on_sight(self.view(kept, mirakl, observation), kept)
            lacks_history = not await self.read_history(observation)
            view = self.view(kept, mirakl, observation)
            decided = decide(view)
            plan = restrained(decided, view)
            whole = plan.actions == decided.actions and not view.shopify_unreadable
            again = partial(self._read_again_at, kept, observation, lacks_history)
            # After a hold it was decided on what was seen before it, so that its removal by others is noticed.
            end = await self._keep(view, plan, kept, whole, again, may_rest=not held)
            if end.rests:
                return
            if end.todo.send:
                await self._send_all(end.todo.send, kept.document)
                if self.status_told and all(isinstance(sent.action, StatusAction) for sent in end.todo.send):
                    # What the order says to staff changes nothing; its echo is looked at soon enough.
                    await self._release(end.look_at)
                    return
            elif end.waits_until is not None:
                now = self.parts.clock.now()
                await self.parts.clock.sleep(max((end.waits_until - now).total_seconds(), 0.05))
        await self._release(self.parts.clock.now() + READ_AGAIN)

    def _read_again_at(
        self, kept: Kept, observation: Observation, lacks_history: bool, memory: Memory, now: datetime
    ) -> datetime | None:
        """When to look again because of what could not be read, or may not be shown yet."""
        look_at: datetime | None = None
        if observation.unreadable:
            pause = timedelta(seconds=observation.retry_after or READ_AGAIN.total_seconds())
            look_at = observation.at + pause
        if lacks_history:
            look_at = earliest(look_at, observation.at + READ_AGAIN)
        if memory.linked_at is not None and _strays_may_show(kept, memory, now):
            look_at = earliest(look_at, max(memory.linked_at, now) + ledger.LOOKED_FOR)
        return look_at

    # -- observing -------------------------------------------------------------------------------------

    async def read_kept(self) -> Kept:
        return self._opened(await self.parts.store.tx(lambda c: read_stored(c, self.row.id)))

    def _opened(self, stored: Stored) -> Kept:
        kept, document = stored
        if document is None:
            return kept
        observed_at, body = document
        return replace(kept, document=(observed_at, self._document(body)))

    def _document(self, body: bytes) -> Document:
        return self.platforms.mirakl.read_back(self.parts.keyring.decrypt(body))

    def snapshot(self, document: tuple[datetime, Document] | None) -> MiraklOrder | None:
        if document is None:
            return None
        try:
            return self.platforms.mirakl.snapshot(document[1], document[0])
        except Unreadable:
            # The desk opened a case when it kept the document; here the order simply shows nothing.
            return None

    async def observe(self, kept: Kept, mirakl: MiraklOrder | None) -> Observation:
        found = await self._observe(kept, mirakl)
        names = carriers_asked_about(self.platforms.rules, mirakl, found.shopify)
        if not names:
            return found
        chosen = await self.parts.store.tx(lambda c: earlier_choices(c, names))
        # Cases show this, and not everybody who reads those of one connection may know of the others.
        own = self.platforms.rules.name
        named = tuple(
            one if one.connection == own else replace(one, connection="another connection") for one in chosen
        )
        return replace(found, earlier_carriers=named)

    async def _observe(self, kept: Kept, mirakl: MiraklOrder | None) -> Observation:
        now = self.parts.clock.now()
        gateway = self.platforms.shopify
        try:
            shopify_id = self.memory.shopify_order_id or kept.learnt.get("shopify_order_id", "")
            if shopify_id:
                shopify = await gateway.order(shopify_id, self._lane_of_reading(mirakl))
                gone = shopify is None and self.memory.shopify_cancelled_seen_at is not None
                if gone:
                    shopify = await self.parts.store.tx(lambda c: self._last_cancelled(c, shopify_id))
                drafts: tuple[Draft, ...] = ()
                if _strays_may_show(kept, self.memory, now):
                    drafts = await gateway.drafts_of(self._marker(), self.row.mirakl_order_id)
                kin = await self._kin(kept, shopify_id)
                return Observation(
                    now,
                    shopify=shopify,
                    shopify_gone=gone and shopify is not None,
                    drafts=drafts,
                    kin=kin,
                    claims=kept.claims,
                )
            if mirakl is None:
                return Observation(now)
            return await self._observe_import(now, kept, mirakl)
        except ReadFailed as failed:
            return Observation(now, unreadable=failed.why, retry_after=failed.retry_after)

    def _lane_of_reading(self, mirakl: MiraklOrder | None) -> Lane:
        """An order that waits for its acceptance, or was never seen and so is not held yet, is read ahead of all others."""
        waits = mirakl is not None and mirakl.state == "WAITING_ACCEPTANCE"
        return "acceptance" if waits or not self.memory.links else "edits"

    async def _kin(self, kept: Kept, linked: str) -> tuple[ShopifyOrder, ...]:
        """The other orders that may stand for this sale, as they are now. One that the shop does not show says nothing.
        Those a decision waits for are read however many came after them."""
        candidates = [kin.shopify_order_id for kin in self.memory.candidates]
        wanted = [one for one in dict.fromkeys((*candidates, *kept.kin)) if one != linked]
        if not wanted:
            return ()
        order_id = self.row.mirakl_order_id
        known = ((linked, self.memory.shopify_order_name), *self._lineage())
        gids = [gid for gid, _ in known]
        numbers = (order_id, self._marker(), *gids, *(gid.rpartition("/")[2] for gid in gids))
        numbers += tuple(name for _, name in known)
        found = [await self.platforms.shopify.kin(shopify_id, order_id, numbers) for shopify_id in wanted]
        return tuple(order for order in found if order is not None)

    def _lineage(self) -> tuple[tuple[str, str], ...]:
        """Id and name of every order that stands or stood for this sale, once one was replaced."""
        roles = ("live", "superseded")
        return tuple((kin.shopify_order_id, kin.name) for kin in self.memory.lineage if kin.role in roles)

    async def read_history(self, observation: Observation) -> bool:
        """Who changed the order, and what its variants cost now: read when its content is another than last time, after
        the hold, which must not wait for it. False when it could not be read: then the last one stands for now."""
        shopify = observation.shopify
        if shopify is None:
            return True
        known = self.history if self.history and self.history.shopify_order_id == shopify.id else None
        content = content_of(shopify)
        if known is not None and known.content == content:
            return True
        if known is None and never_changed(shopify):
            self.history = History(shopify.id, content)
            return True
        gateway = self.platforms.shopify
        variants = [line.variant_id for line in shopify.lines if line.variant_id and line.current_quantity]
        try:
            changes = await gateway.changes(shopify.id)
            prices = await gateway.variant_prices(variants) if variants else ()
        except ReadFailed:
            return False
        seen = {change.id for change in known.changes} if known is not None else set()
        fresh = (c for c in changes if c.id not in seen and c.kind != "ORDER" and c.by != OURSELVES)
        self.news = (*self.news, *fresh)
        self.history = History(shopify.id, content, changes, prices)
        return True

    async def _observe_import(self, now: datetime, kept: Kept, mirakl: MiraklOrder) -> Observation:
        gateway = self.platforms.shopify
        # A seller reference without a link means that we imported this order in an earlier life, and so does perhaps an order
        # that is older than the end of a quarantine, or than the connection.
        earlier = (
            bool(mirakl.seller_reference)
            or (
                kept.quarantine is not None
                and (kept.quarantine.ended_at is None or mirakl.created_at <= kept.quarantine.ended_at)
            )
            or sold_before_live(mirakl, self.platforms.live_since)
        )
        drafts: tuple[Draft, ...] = ()
        shopify: ShopifyOrder | None = None
        draft_id = self.memory.draft_id or kept.learnt.get("draft_id", "")
        if draft_id:
            draft = await gateway.draft(draft_id)
            drafts = () if draft is None else (draft,)
        memory = self.memory
        gone = bool(memory.draft_gone_since or memory.draft_completed_since or memory.drafts_gone)
        noted: tuple[ShopifyOrder, ...] = ()
        # By what was tried, not by today's setting: the route may have been changed in between.
        if kept.unclear_order or earlier or gone:
            # What told us of itself is read by id, which shows it at once; the look-up by the marker may be behind.
            noted = await self._kin(kept, "")
            shopify = made_for(self._marker(), noted)
            if shopify is None:
                shopify = await gateway.order_by_marker(self._marker())
        if kept.unclear_draft or gone or (earlier and self.platforms.rules.import_route == "draft"):
            found = await gateway.drafts_of(self._marker(), self.row.mirakl_order_id)
            known = {draft.id for draft in drafts}
            drafts = (*drafts, *(draft for draft in found if draft.id not in known))
        drafts = that_count(drafts, self.memory)
        completed = next((draft.order_id for draft in drafts if draft.order_id), "")
        if completed and shopify is None:
            shopify = await gateway.order(completed, "acceptance")
        offers: tuple[Offer, ...] = ()
        if shopify is None and not drafts and mirakl.state not in (*DEAD, *GONE_OUT, "STAGING"):
            offers = await self._offers(mirakl)
        elif shopify is not None and earlier and not self.memory.bundles:
            # What was remembered is lost: of a bundle the lines alone do not tell how many of each article make one.
            offers = await self._bundles(mirakl)
        linked = "" if shopify is None else shopify.id
        kin = tuple(order for order in noted if (linked or gone) and order.id != linked)
        return Observation(
            now, shopify=shopify, drafts=drafts, offers=offers, kin=kin, claims=kept.claims if kin else ()
        )

    async def _offers(self, mirakl: MiraklOrder) -> tuple[Offer, ...]:
        """What the shop has for every SKU of the order."""
        connection_id, skus = self.row.connection_id, sorted({line.sku for line in mirakl.lines})
        names, made_of = await self.parts.store.tx(
            lambda c: (shop_skus(c, connection_id, skus), bundles(c, connection_id, skus))
        )
        single = await self.platforms.shopify.offers([pair for pair in names if pair[0] not in made_of])
        return (*single, *await self._bundled(made_of))

    async def _bundles(self, mirakl: MiraklOrder) -> tuple[Offer, ...]:
        """What the shop has for those SKUs of the order that are bundles of its articles."""
        connection_id, skus = self.row.connection_id, sorted({line.sku for line in mirakl.lines})
        return await self._bundled(await self.parts.store.tx(lambda c: bundles(c, connection_id, skus)))

    async def _bundled(self, made_of: Mapping[str, Sequence[Component]]) -> tuple[Offer, ...]:
        if not made_of:
            return ()
        articles = sorted({part.shop_sku for parts in made_of.values() for part in parts})
        found = {
            offer.sku: offer for offer in await self.platforms.shopify.offers([(s, s) for s in articles])
        }
        return tuple(
            offer_of_bundle(sku, [(part.shop_sku, part.units) for part in parts], found)
            for sku, parts in made_of.items()
        )

    def view(self, kept: Kept, mirakl: MiraklOrder | None, observation: Observation) -> View:
        now = self.parts.clock.now()
        return View(
            now=now,
            rules=self.platforms.rules,
            order_id=self.row.mirakl_order_id,
            mirakl=mirakl,
            shopify=observation.shopify,
            shopify_gone=observation.shopify_gone,
            memory=self.memory,
            drafts=observation.drafts,
            offers=observation.offers,
            kin=observation.kin,
            claims=observation.claims,
            operations=kept.operations,
            answers=tuple(decision for _, decision in kept.answers),
            mirakl_written_at=self.mirakl_written_at,
            shopify_unreadable=bool(observation.unreadable),
            made_order_id=kept.learnt.get("shopify_order_id", ""),
            completion_unclear=kept.unclear_completion,
            changes=self.history.changes if self.history else (),
            prices=self.history.prices if self.history else (),
            requests=kept.requests,
            refunds_made=kept.refunds_made,
            messages_sent=kept.messages_sent,
            trackings_told=kept.trackings_told,
            quarantined=kept.quarantine is not None and kept.quarantine.open,
            live=self.platforms.live,
            live_since=self.platforms.live_since,
            writing_runs=0 if self.counted else self.row.runs_in_hour,
            writing_since=None if kept.quarantine is None else kept.quarantine.ended_at,
            earlier_carriers=observation.earlier_carriers,
            unread=unread_since(
                latest(kept.walked_at, None if mirakl is None else mirakl.observed_at), kept.old_after, now
            ),
        )

    # -- deciding --------------------------------------------------------------------------------------

    def _without_settled(self, c: Connection, plan: Plan, now: datetime) -> Plan:
        """The incidents of calls that a person had sent again, and that were confirmed then, are over."""
        still = [one for one in plan.memory.incidents if _is_unclear(one)]
        settled = ledger.confirmed_when_repeated(c, [one.subject for one in still]) if still else frozenset()
        if not settled:
            return plan
        incidents = tuple(
            replace(one, closed_at=now, closed_because="It was sent again and confirmed.")
            if _is_unclear(one) and one.subject in settled
            else one
            for one in plan.memory.incidents
        )
        cases = tuple(
            case
            for case in plan.cases
            if not (case.reason is Reason.OUTCOME_UNCLEAR and case.subject in settled)
        )
        return replace(plan, memory=replace(plan.memory, incidents=incidents), cases=cases)

    async def _keep(
        self,
        view: View,
        plan: Plan,
        kept: Kept,
        whole: bool,
        read_again_at: Callable[[Memory, datetime], datetime | None],
        may_rest: bool,
    ) -> "_End":
        """Keep the plan in one transaction. With nothing to send and nothing to wait for the order is given back in it."""
        now = view.now
        row = self.row
        probe = self.parts.probe

        def keep(c: Connection) -> tuple[_End, Plan, tuple[Case, ...]]:
            todo = ledger.reconcile(
                c,
                row.id,
                row.connection_id,
                row.epoch,
                view,
                plan.actions,
                now,
                self.parts.identifiers,
                whole,
                plan.memory.decisions,
            )
            if view.quarantined:
                todo = replace(todo, send=())  # planned and kept, and nothing leaves
            does_more = any(not isinstance(operation.action, StatusAction) for operation in todo.send)
            final = _with_unclear(self._without_settled(c, plan, now), todo.unclear, now)
            change = sync_cases(
                c,
                row.id,
                row.connection_id,
                final.cases,
                now,
                _both_were_seen(view),
                view.mirakl,
                final.memory,
                final.judged,
                seen_without_the_order(view),
            )
            since = latest(final.mirakl_since, todo.mirakl_since)
            if since is not None and view.mirakl is not None and view.mirakl.observed_at >= since:
                since = None
            values: dict[str, object] = {
                "memory": encode(final.memory),
                "mirakl_wanted_since": since,
                "shopify_order_id": final.memory.shopify_order_id or None,
                "shopify_name": final.memory.shopify_order_name or None,
                "draft_id": final.memory.draft_id or None,
                "acceptance_due_at": final.memory.acceptance_due_at,
                "shopify_unread": view.shopify_unreadable,
            }
            if since is not None:
                self.parts.queue.read_wanted(c, row.connection_id)
            if self.history is not None and self.history != row.history:
                values["history"] = encode(self.history)
            if view.shopify is not None:
                values["shopify_seen_at"] = view.shopify.observed_at
                values["shopify_updated_at"] = view.shopify.updated_at
                young_until = view.shopify.observed_at + view.rules.label_max_age
                values |= label_columns(final.label, young_until)
                values["shopify_email"] = view.shopify.traces.email or None
                values["shopify_address"] = view.shopify.address.digest or None
            _keep_kin(c, row.id, view, final.memory, now)
            last_digest, said = self._last_plan(c)
            encoded_plan = encode(final)
            digest = _plan_digest(encoded_plan)
            # What is sent again on a later view has its own plan: each call is answered for by what was seen then.
            is_kept = digest != last_digest or does_more
            if is_kept or self.said is None:
                encoded = encode(view)
                values["last_view"] = encoded
            if is_kept:
                c.execute(
                    insert(plans).values(
                        order_id=row.id, at=now, epoch=row.epoch, view=encoded, plan=encoded_plan
                    )
                )
            if does_more and not self.counted:
                values |= {"hour": hour_of(now), "runs_in_hour": row.runs_in_hour + 1}
            look_at = earliest(final.look_at, todo.look_at)
            look_at = earliest(look_at, read_again_at(final.memory, now))
            waits_until = look_at if self._stays_to_accept(plan, look_at) else None
            rests = may_rest and not todo.send and not todo.settled and waits_until is None
            if not rests:
                still_mine(c, row.id, row.epoch, lease_until=now + LEASE, **values)
            elif release_lease(c, row.id, row.epoch, row.hints, look_at, now, **values):
                self.parts.queue.wake(c, row.id, "rest")
            _file_parcels(c, row.id, view, final.memory)
            take_answers(c, [answer_id for answer_id, _ in kept.answers], now)
            known = {edit.id for edit in final.memory.desk_edits}
            taken = [request for request in kept.requests if request.id in known]
            take_edits(c, [request.id for request in taken], now)
            named = {request.text_id for request in taken if request.text_id}
            forget_texts(c, (self.memory.texts | named) - final.memory.texts)
            news = tuple(s for s in final.because if s not in said)
            if view.shopify is not None:
                for made in self.news:
                    tell(c, row.id, made.at, made.by, [sentence_of_change(made, view.shopify)])
            tell(c, row.id, now, "Interlock", (*todo.sentences, *news, *change.opened, *change.closed))
            self.said = final.because
            self.plan_digest = digest
            return _End(todo, rests, look_at, waits_until), final, change.alarming

        end, final, alarming = await self.parts.store.tx(keep)
        for case in alarming:
            self.parts.alarm(self.platforms.rules.name, row.mirakl_order_id, case)
        self.memory = final.memory
        await self._note_window(view)
        self.news = ()
        self.counted = self.counted or any(
            not isinstance(sent.action, StatusAction) for sent in end.todo.send
        )
        probe("kept")
        return end

    async def _note_window(self, view: View) -> None:
        """An order the marketplace refused by itself shows how long it waits for an acceptance."""
        seen = window_shown(view.mirakl, self.memory, view.rules.acceptance_window)
        if seen is not None:
            queue, connection_id = self.parts.queue, self.row.connection_id
            await self.parts.store.tx(lambda c: keep_observation(c, queue, connection_id, seen, view.now))

    def _last_cancelled(self, c: Connection, shopify_id: str) -> ShopifyOrder | None:
        """The Shopify order as it was shown last, as a cancelled order; None where no plan is kept that has seen it."""
        last = c.execute(
            _LAST_SHOWN, {"of_order": self.row.id, "shopify_id": shopify_id}
        ).scalar_one_or_none()
        shown = None if last is None else decode(View, last).shopify
        return None if shown is None else as_cancelled(shown, self.memory)

    def _last_plan(self, c: Connection) -> tuple[str, tuple[str, ...]]:
        """The digest of the last plan that was kept, in this run or before it, and its reasons. A plan that only
        repeats it and sends nothing is not kept again; what it said is not told again."""
        if self.said is not None:
            return self.plan_digest, self.said
        last = c.execute(_LAST_PLAN, {"of_order": self.row.id}).one_or_none()
        if last is None:
            return "", ()
        return _plan_digest(last.plan), tuple(last.plan.get("because", ()))

    # -- performing ------------------------------------------------------------------------------------

    async def _hold_on_sight(self, view: View, kept: Kept) -> bool:
        """Hold before Mirakl is asked, on the evidence of the Shopify snapshot alone. True when a hold was sent."""
        holds = restrained(Plan(self.memory, on_sight(view)), view).actions
        if not holds or view.quarantined:
            return False
        now = view.now

        def plan(c: Connection) -> tuple[ledger.ToSend, ...]:
            still_mine(c, self.row.id, self.row.epoch)
            row = self.row
            todo = ledger.reconcile(
                c, row.id, row.connection_id, row.epoch, view, holds, now, self.parts.identifiers, whole=False
            )
            return todo.send

        todo = await self.parts.store.tx(plan)
        await self._send_all(todo, kept.document)
        return bool(todo)

    async def _send_all(
        self, operations: Sequence[ledger.ToSend], document: tuple[datetime, Document] | None
    ) -> None:
        if len(operations) == 1:
            await self._send(operations[0], document)
        elif operations:
            # What a person sees first must not wait for what is merely tidy: holds and the acceptance go first
            # in the same breath, markers beside them.
            tidy = MarkOrder | StatusAction
            ordered = sorted(operations, key=lambda operation: isinstance(operation.action, tidy))
            await asyncio.gather(*(self._send(operation, document) for operation in ordered))

    async def _send(self, operation: ledger.ToSend, document: tuple[datetime, Document] | None) -> None:
        parts = self.parts
        order_id = self.row.id
        started = parts.clock.monotonic()
        sent_at = parts.clock.now()
        if not await parts.store.tx(lambda c: ledger.begin(c, order_id, operation, sent_at)):
            return
        parts.probe(f"before_send:{type(operation.action).__name__}")
        if parts.clock.monotonic() - started > SEND_WITHIN_SECONDS:
            await parts.store.tx(lambda c: ledger.take_back(c, order_id, operation))
            return
        if isinstance(operation.action, AnswerAcceptance) and self.accepting_since is None:
            self.accepting_since = sent_at
        in_time = SEND_BY.set(started + SEND_WITHIN_SECONDS)
        try:
            outcome = await self._perform(operation, document)
        finally:
            SEND_BY.reset(in_time)
        parts.probe(f"after_send:{type(operation.action).__name__}")
        ended_at = parts.clock.now()

        seen = observed(operation.action, outcome)

        def finish(c: Connection) -> bool:
            # First, because it may hint other orders: no row of this one is locked while it waits for theirs.
            other_rules = seen is not None and keep_observation(
                c, parts.queue, self.row.connection_id, seen, ended_at
            )
            ledger.finish(c, order_id, operation, outcome, ended_at)
            if isinstance(operation.action, SendMessage) and isinstance(outcome, Confirmed):
                forget_texts(c, (operation.action.text_id,))
            for name, value in outcome.facts if isinstance(outcome, Confirmed) else ():
                if name == "left_behind_order_id":
                    note_kin(c, order_id, value, ended_at)
            sentence = sentence_of(operation.action, outcome)
            if sentence:
                tell(c, order_id, ended_at, "Interlock", [sentence])
            return other_rules

        if await parts.store.tx(finish):
            self.platforms = await parts.connections.get(self.row.connection_id)
        if operation.action.platform == "mirakl" and not isinstance(outcome, Unavailable):
            self.mirakl_written_at = ended_at + ledger.CLOCKS_AGREE_WITHIN
        self.status_told = isinstance(operation.action, StatusAction) and isinstance(outcome, Confirmed)
        if isinstance(operation.action, AnswerAcceptance) and isinstance(outcome, (Confirmed, Refused)):
            # Answered: until the next snapshot shows it the order must be free for edits, not waited with.
            self.accepting_since = None
        parts.probe(f"after_outcome:{type(operation.action).__name__}")

    async def _perform(self, operation: ledger.ToSend, document: tuple[datetime, Document] | None) -> Outcome:
        written = await self._text_of(operation.action)
        if written is None:
            return Refused(
                "TEXT_GONE", "What was to be sent is not kept any more; it has to be written again."
            )
        context = OrderContext(
            connection=self.platforms.rules.name,
            order_id=self.row.mirakl_order_id,
            marker=self._marker(),
            hold_handle=self.platforms.rules.hold_handle,
            reference=operation.reference,
            document=None if document is None else document[1],
            shopify_order_name=self.memory.shopify_order_name,
            text=written,
            shipping_title=self._shipping_title(document),
            still_ours=self._still_ours,
        )
        action = operation.action
        if action.platform == "mirakl":
            return await self.platforms.mirakl.perform(action, context)  # type: ignore[arg-type]
        return await self.platforms.shopify.perform(action, context)  # type: ignore[arg-type]

    def _shipping_title(self, document: tuple[datetime, Document] | None) -> str:
        code = "" if document is None else document[1].get("shipping_type_code")
        return self.platforms.rules.title_of_method(str(code or ""))

    async def _text_of(self, action: Action) -> str | None:
        """What a person wrote for the action, empty for actions without; None when it was deleted."""
        if not isinstance(action, (SetOrderAddress, SendMessage)):
            return ""
        text_id = action.text_id
        body = await self.parts.store.tx(lambda c: kept_text(c, text_id))
        return None if body is None else self.parts.keyring.decrypt(body).decode()

    async def _still_ours(self) -> None:
        """Before the next call of an action that takes several: the lease is renewed, and the call may leave for as
        long as any write may. Raises LeaseLost."""
        started = self.parts.clock.monotonic()
        until = self.parts.clock.now() + LEASE
        await self.parts.store.tx(lambda c: still_mine(c, self.row.id, self.row.epoch, lease_until=until))
        SEND_BY.set(started + SEND_WITHIN_SECONDS)

    def _stays_to_accept(self, plan: Plan, look_at: datetime | None) -> bool:
        """Whether to stay with an order whose acceptance has not been confirmed: it is retried here for a minute."""
        if self.accepting_since is None or look_at is None:
            return False
        if not any(isinstance(action, AnswerAcceptance) for action in plan.actions):
            return False
        return look_at - self.accepting_since <= ACCEPT_FOR

    async def _release(self, look_at: datetime | None) -> None:
        row = self.row

        now = self.parts.clock.now()

        def release(c: Connection) -> None:
            if release_lease(c, row.id, row.epoch, row.hints, look_at, now):
                self.parts.queue.wake(c, row.id, "rest")

        await self.parts.store.tx(release)

    def _marker(self) -> str:
        return f"{self.platforms.rules.name}:{self.row.mirakl_order_id}"


_WAITS = (
    select(
        exists().where(answers.c.order_id == orders.c.id, answers.c.taken_at.is_(None)).label("answered"),
        exists()
        .where(desk_edits.c.order_id == orders.c.id, desk_edits.c.taken_at.is_(None))
        .label("requested"),
        exists().where(kin.c.order_id == orders.c.id, kin.c.watched).label("related"),
        exists(quarantines.select()).label("quarantined"),
        connections.c.poll_seconds,
        polls.c.cursor.label("walked_at"),
        mirakl_documents.c.observed_at,
        mirakl_documents.c.body,
    )
    .select_from(
        orders.join(connections, connections.c.id == orders.c.connection_id)
        .outerjoin(polls, polls.c.name == MIRAKL_ACCOUNT)
        .outerjoin(mirakl_documents, mirakl_documents.c.order_id == orders.c.id)
    )
    .where(orders.c.id == bindparam("of_order"))
)
"""What is there to be read beside the ledger, mostly nothing, and the marketplace's document."""


def read_stored(c: Connection, order_id: int) -> Stored:
    waits = c.execute(_WAITS, {"of_order": order_id}).one()
    past = ledger.remembered(c, order_id)
    answered = tuple(waiting_answers(c, order_id)) if waits.answered else ()
    asked = [said.subject for _, said in answered if said.option is Option.TAKE_OVER]
    related = tuple(dict.fromkeys((*(kin_of(c, order_id) if waits.related else ()), *asked)))
    kept = Kept(
        operations=past.open,
        answers=answered,
        requests=waiting_edits(c, order_id) if waits.requested else (),
        learnt=past.learnt,
        unclear_draft="CreateDraft" in past.unclear,
        unclear_order="CreateOrder" in past.unclear,
        unclear_completion="CompleteDraft" in past.unclear,
        refunds_made=past.refunds_made,
        messages_sent=past.messages_sent,
        trackings_told=past.trackings_told,
        kin=related,
        claims=claims_of(c, order_id, related),
        quarantine=latest_quarantine(c) if waits.quarantined else None,
        walked_at=waits.walked_at,
        old_after=stale_after(timedelta(seconds=waits.poll_seconds)),
        document=None,
    )
    return kept, None if waits.body is None else (waits.observed_at, waits.body)


def _strays_may_show(kept: Kept, memory: Memory, now: datetime) -> bool:
    """Whether a draft of an unclear creation, or one that was given up for gone, may still turn up in the shop's index,
    reservation and all."""
    linked_at = memory.linked_at
    return (kept.unclear_draft or bool(memory.drafts_gone)) and (
        linked_at is None or now <= linked_at + 2 * ledger.LOOKED_FOR
    )


def _keep_kin(c: Connection, order_id: int, view: View, memory: Memory, now: datetime) -> None:
    """What became of the other orders: those with a place in the lineage are kept, those that are cancelled or linked
    are forgotten, and those that were never worth asking about are not read for ever."""
    if not view.kin and memory.lineage == view.memory.lineage:
        return
    placed = {kin.shopify_order_id for kin in memory.lineage}
    gone = [order.id for order in view.kin if not order.live and order.id not in placed]
    forget_kin(c, order_id, [*gone, memory.shopify_order_id])
    done = [order.id for order in view.kin if _is_done_with(order, view, memory)]
    keep_lineage(c, order_id, memory.lineage, done, now)
    if view.mirakl is not None and view.shopify is not None and view.shopify.id == memory.shopify_order_id:
        beside = [order for order in view.kin if order.live and order.id not in placed]
        twins = [order.id for order in beside if is_twin(view, memory, order)]
        keep_strangers(c, order_id, [order.id for order in beside if order.id not in twins], twins)
    stop_watching(c, order_id, now - KIN_WATCHED_FOR)


def _file_parcels(c: Connection, order_id: int, view: View, memory: Memory) -> None:
    """Whose webhooks and label checks the fulfillment orders are that this look has seen. Those of a stranger, or of an order
    that a person ruled out, are not this sale's: another marketplace order may have them, or none."""
    if view.shopify is None:
        return
    for order in (view.shopify, *view.kin):
        ids = [fo.id for fo in order.fulfillment_orders]
        place = memory.kin(order.id)
        stands_beside = place.role != "unlinked" if place is not None else is_twin(view, memory, order)
        if order.id == memory.shopify_order_id:
            remember_fulfillment_orders(c, order_id, ids)
        elif stands_beside:
            remember_fulfillment_orders(c, order_id, ids, linked=False)
        else:
            forget_fulfillment_orders(c, order_id, ids)


def _is_done_with(order: ShopifyOrder, view: View, memory: Memory) -> bool:
    """Whether an order that was ruled out carries nothing of ours any more."""
    kin = memory.kin(order.id)
    if kin is None or kin.role != "unlinked":
        return False
    if is_to_be_cleared(view, memory, order):
        return False
    handle = view.rules.hold_handle
    held = any(hold.ours and hold.handle == handle for fo in order.fulfillment_orders for hold in fo.holds)
    return not order.live or (not held and order.marker != f"{view.rules.name}:{view.order_id}")


def _both_were_seen(view: View) -> bool:
    """Whether missing cases may be believed: a platform that showed nothing closes nothing. Of an order that has ended at the
    marketplace nothing is asked any more that only its Shopify order could tell."""
    waited_for = bool(view.memory.shopify_order_id) and gone_unseen(view, view.memory) is None
    return (
        not view.shopify_unreadable
        and view.mirakl is not None
        and (view.shopify is not None or not waited_for or view.mirakl.state in DEAD)
        and not _parcels_unknown(view)
    )


def _parcels_unknown(view: View) -> bool:
    """Whether parcels left and the marketplace did not show which ones it knows (ST11)."""
    mirakl, shopify = view.mirakl, view.shopify
    return (
        view.rules.multi_shipment
        and mirakl is not None
        and mirakl.state not in ENDED
        and mirakl.shipments is None
        and not mirakl.shipments_hidden
        and shopify is not None
        and bool(shopify.fulfillments)
    )


def _is_unclear(incident: Incident) -> bool:
    return incident.reason is Reason.OUTCOME_UNCLEAR and incident.closed_at is None


def _with_unclear(plan: Plan, unclear: Sequence[OpenOperation], now: datetime) -> Plan:
    """A class D call whose outcome stayed unclear twice is a person's: the incident says so."""
    memory = plan.memory
    cases = list(plan.cases)
    for operation in unclear:
        kind = type(operation.action).__name__
        sentence = (
            f"{kind} was sent {operation.attempt} times and the answer stayed unclear each time; the platform does not "
            "show it. It is not sent again by itself. Compare both platforms, then send it again or settle it by hand."
        )
        if isinstance(operation.action, RefundLines):
            sentence += (
                " A refund that waits for the operator's approval is not shown on the order yet: look for it in the "
                "portal's list of refunds before you send it again, or the customer gets the money twice."
            )
        memory = memory.with_incident(Incident(Reason.OUTCOME_UNCLEAR, operation.id, now, sentence))
        cases.append(
            Case(
                Reason.OUTCOME_UNCLEAR,
                operation.id,
                sentence,
                (Option.SEND_AGAIN, Option.DISMISS),
                severity=CATALOGUE[Reason.OUTCOME_UNCLEAR].severity,
            )
        )
    return replace(plan, memory=memory, cases=tuple(cases))


def _plan_digest(encoded: Mapping[str, Any]) -> str:
    """What is new about a plan as it is stored: its actions, cases, reasons and agreed quantities."""
    shown = [encoded.get(name, []) for name in ("actions", "cases", "because", "agreed")]
    return json.dumps(shown, sort_keys=True)
