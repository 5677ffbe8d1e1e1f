"""Every write Interlock makes to Shopify, and what its answer means. Search the action's name here."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, assert_never

from interlock.orders.actions import (
    AddedLine,
    AskServiceToStop,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    CreateDraft,
    CreateOrder,
    DeleteDraft,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    Lane,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    ReleaseHold,
    SetOrderAddress,
    ShopifyAction,
    ShowStatus,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.ports import OrderContext
from interlock.orders.shown_status import status_tag
from interlock.shopify import documents, read
from interlock.shopify.classify import CallFailed, user_errors
from interlock.shopify.client import ShopifyClient, understood
from interlock.shopify.generated.fragments import EditedOrder
from interlock.shopify.generated.input_types import (
    DraftOrderDeleteInput,
    FulfillmentOrderHoldInput,
    MetafieldAccessInput,
    MetafieldDefinitionInput,
    MetafieldIdentifierInput,
    MetafieldsSetInput,
    OrderCancelRefundMethodInput,
    OrderInput,
    OrderMarkAsPaidInput,
    WebhookSubscriptionInput,
)
from interlock.shopify.names import (
    INSTANCE_KEY,
    LINEAGE_KEY,
    MARKER_KEY,
    MARKER_NAMESPACE,
    STATUS_KEY,
    order_tags,
)

_LONGEST_STAFF_NOTE = 255
_NO_ITEM = Unknown("the answer has neither our item nor an error")


async def perform(client: ShopifyClient, action: ShopifyAction, context: OrderContext) -> Outcome:
    """Carry out one action. Never raises for what a platform may normally answer; the outcome says it."""
    try:
        return await _perform(client, action, context)
    except CallFailed as failed:
        return failed.outcome
    except documents.CannotBuild as lacking:
        return Refused(lacking.code, lacking.words)


async def _perform(client: ShopifyClient, action: ShopifyAction, context: OrderContext) -> Outcome:
    match action:
        case CreateDraft():
            return await _create_draft(client, action, context)
        case FillDraftAddress():
            return await _fill_draft_address(client, action, context)
        case CompleteDraft():
            return await _complete_draft(client, action, context)
        case DeleteDraft():
            return await _delete_draft(client, action, context)
        case CreateOrder():
            return await _create_order(client, action, context)
        case FillOrderAddress():
            filled = documents.order_address_input(action.shopify_order_id, context)
            private = documents.private_texts(context)
            return await _write_order_address(client, action, context, filled, private)
        case MarkOrder():
            return await _mark_order(client, action, context)
        case MarkPaid():
            return await _mark_paid(client, action, context)
        case PlaceHold():
            return await _place_hold(client, action, context)
        case ReleaseHold():
            return await _release_hold(client, action, context)
        case CancelShopifyOrder():
            return await _cancel_order(client, action, context)
        case EditShopifyOrder():
            return await _edit_order(client, action, context)
        case SetOrderAddress():
            given = documents.given_address_input(action.shopify_order_id, context)
            private = documents.given_texts(context)
            return await _write_order_address(client, action, context, given, private)
        case AskServiceToStop():
            return await _ask_service_to_stop(client, action, context)
        case ClearMarker():
            return await _clear_marker(client, action, context)
        case ClearStatus():
            return await _clear_status(client, action, context)
        case ShowStatus():
            return await _show_status(client, action, context)
        case _:
            assert_never(action)


async def _create_draft(client: ShopifyClient, action: CreateDraft, context: OrderContext) -> Outcome:
    """draftOrderCreate. Not idempotent: an unclear end is found again by tag and order attribute."""
    built = documents.draft_input(action, context, client.clock_now())
    private = documents.private_texts(context)
    with understood("CreateDraft"):
        answer = await client.create_draft(
            input=built, lane=action.lane, reference=context.reference, private=private
        )
    payload = answer.draft_order_create
    if payload is None:
        return _NO_ITEM
    if payload.draft_order is not None and not payload.user_errors:
        return Confirmed((("draft_id", payload.draft_order.id),))
    return _refused(payload.user_errors, private)


async def _fill_draft_address(
    client: ShopifyClient, action: FillDraftAddress, context: OrderContext
) -> Outcome:
    """draftOrderUpdate with nothing but the shipping address and what comes with it; last write wins."""
    private = documents.private_texts(context)
    with understood("UpdateDraft"):
        answer = await client.update_draft(
            id=action.draft_id,
            input=documents.draft_address_input(context),
            lane=action.lane,
            reference=context.reference,
            private=private,
        )
    payload = answer.draft_order_update
    if payload is None:
        return _NO_ITEM
    if payload.draft_order is not None and not payload.user_errors:
        return Confirmed((("draft_id", payload.draft_order.id),))
    return _refused(payload.user_errors, private)


async def _complete_draft(client: ShopifyClient, action: CompleteDraft, context: OrderContext) -> Outcome:
    """draftOrderComplete. A second completion is refused as already paid and names the one order (reference 5.4)."""
    with understood("CompleteDraft"):
        answer = await client.complete_draft(
            id=action.draft_id, lane=action.lane, reference=context.reference
        )
    payload = answer.draft_order_complete
    if payload is None:
        return _NO_ITEM
    made = payload.draft_order.order if payload.draft_order is not None else None
    if made is not None:
        return _order_facts(made.id, made.name)
    refused = _refused(payload.user_errors)
    if isinstance(refused, Refused) and refused.code == "ALREADY_COMPLETED":
        with understood("DraftSnapshot"):
            seen = (await client.draft_snapshot(id=action.draft_id, lane=action.lane)).draft_order
        if seen is not None and seen.order is not None:
            return _order_facts(seen.order.id, seen.order.name)
        return Unknown("the draft is said to be completed, but shows no order")
    return refused


async def _delete_draft(client: ShopifyClient, action: DeleteDraft, context: OrderContext) -> Outcome:
    """draftOrderDelete. A draft that is gone already is what we wanted."""
    try:
        with understood("DeleteDraft"):
            answer = await client.delete_draft(
                input=DraftOrderDeleteInput(id=action.draft_id), lane=action.lane, reference=context.reference
            )
    except CallFailed as failed:
        if isinstance(failed.outcome, Refused) and failed.outcome.code == "RESOURCE_NOT_FOUND":
            return Confirmed((("draft_id", action.draft_id),))
        raise
    payload = answer.draft_order_delete
    if payload is None:
        return _NO_ITEM
    refused = _refused(payload.user_errors)
    if payload.deleted_id or (isinstance(refused, Refused) and refused.code == "NOT_FOUND"):
        return Confirmed((("draft_id", action.draft_id),))
    return refused


async def _create_order(client: ShopifyClient, action: CreateOrder, context: OrderContext) -> Outcome:
    """orderCreate. Not idempotent, but our `id` metafield is unique: a refusal may mean that the order exists."""
    private = documents.private_texts(context)
    with understood("CreateOrder"):
        answer = await client.create_order(
            order=documents.order_input(action, context),
            options=documents.order_options(),
            lane=action.lane,
            reference=context.reference,
            private=private,
        )
    payload = answer.order_create
    if payload is None:
        return _NO_ITEM
    made = payload.order
    about_marker = any("metafields" in (error.field or ()) for error in payload.user_errors)
    existing = await _marked_order(client, context.marker, action.lane) if about_marker else None
    if existing is not None and made is not None and existing.id != made.id:
        # made without its marker, because an earlier order has it: somebody has to cancel the later one
        facts = _order_facts(existing.id, existing.name).facts
        return Confirmed((*facts, ("left_behind_order_id", made.id)))
    if made is not None and about_marker:
        words = f"Our marker is taken by an order that does not show yet; {made.name} was left without it."
        return Refused("TAKEN", words)
    if made is not None:
        return _order_facts(made.id, made.name)
    if existing is not None:
        return _order_facts(existing.id, existing.name)
    # TAKEN: an earlier attempt succeeded and its order will show; creating once more could only do harm.
    return _refused(payload.user_errors, private)


async def _marked_order(client: ShopifyClient, marker: str, lane: Lane) -> read.FoundOrder | None:
    """The order that carries our marker. A read that fails after the write was answered says nothing about the write,
    so it only leaves the order unknown."""
    try:
        return await read.order_by_marker(client, marker, lane=lane)
    except CallFailed:
        return None


async def _write_order_address(
    client: ShopifyClient,
    action: FillOrderAddress | SetOrderAddress,
    context: OrderContext,
    built: OrderInput,
    private: tuple[str, ...],
) -> Outcome:
    """orderUpdate with nothing but a shipping address, the marketplace's or one a person gave; last write wins. Shopify
    judges addresses strictly."""
    with understood("UpdateOrderAddress"):
        answer = await client.update_order_address(
            input=built, lane=action.lane, reference=context.reference, private=private
        )
    payload = answer.order_update
    if payload is None:
        return _NO_ITEM
    if payload.order is not None and not payload.user_errors:
        return _order_facts(payload.order.id, payload.order.name)
    return _refused(payload.user_errors, private)


async def _mark_order(client: ShopifyClient, action: MarkOrder, context: OrderContext) -> Outcome:
    """metafieldsSet and tagsAdd in one document; they run one after the other and each answers for itself."""
    with understood("Annotate"):
        answer = await client.annotate(
            id=action.shopify_order_id,
            tags=list(order_tags(context.connection, context.order_id)),
            metafields=documents.marker_metafields(action.shopify_order_id, context),
            lane=action.lane,
            reference=context.reference,
        )
    marked, tagged = answer.metafields_set, answer.tags_add
    if marked is None or tagged is None:
        return _NO_ITEM
    if marked.user_errors:
        return _refused(marked.user_errors)
    if tagged.user_errors:
        return _refused(tagged.user_errors)
    if not _has_marker(marked.metafields, MARKER_KEY, context):
        return _NO_ITEM
    return Confirmed((("shopify_order_id", action.shopify_order_id),))


async def _mark_paid(client: ShopifyClient, action: MarkPaid, context: OrderContext) -> Outcome:
    """orderMarkAsPaid. An order that is paid already refuses it, so a refusal is checked against the order."""
    with understood("MarkPaid"):
        answer = await client.mark_paid(
            input=OrderMarkAsPaidInput(id=action.shopify_order_id),
            lane=action.lane,
            reference=context.reference,
        )
    payload = answer.order_mark_as_paid
    if payload is None:
        return _NO_ITEM
    if payload.order is not None and not payload.user_errors:
        return Confirmed((("shopify_order_id", payload.order.id),))
    refused = _refused(payload.user_errors)
    if isinstance(refused, Refused):
        state = await read.order_state(client, action.shopify_order_id, lane=action.lane)
        if state is not None and state.paid:
            return Confirmed((("shopify_order_id", state.id),))
    return refused


async def _place_hold(client: ShopifyClient, action: PlaceHold, context: OrderContext) -> Outcome:
    """fulfillmentOrderHold on the whole fulfillment order. Our handle makes it safe to repeat: a second one is refused
    as duplicate, and then the hold that stands is looked up."""
    hold = FulfillmentOrderHoldInput(
        reason="OTHER",
        reasonNotes=action.notes,
        handle=context.hold_handle,
        externalId=context.reference,
        notifyMerchant=False,
    )
    with understood("Hold"):
        answer = await client.hold(
            id=action.fulfillment_order_id, hold=hold, lane=action.lane, reference=context.reference
        )
    payload = answer.fulfillment_order_hold
    if payload is None:
        return _NO_ITEM
    if payload.fulfillment_hold is not None and not payload.user_errors:
        return Confirmed((("hold_id", payload.fulfillment_hold.id),))
    refused = _refused(payload.user_errors)
    if isinstance(refused, Refused) and refused.code in ("DUPLICATE_FULFILLMENT_HOLD_HANDLE", "TAKEN"):
        owner = await read.fulfillment_order_owner(client, action.fulfillment_order_id, lane=action.lane)
        for hold_id, handle in owner.our_holds if owner is not None else ():
            if handle == context.hold_handle:
                return Confirmed((("hold_id", hold_id),))
        return Unknown("our hold is said to stand already, but the fulfillment order does not show it")
    return refused


async def _release_hold(client: ShopifyClient, action: ReleaseHold, context: OrderContext) -> Outcome:
    """fulfillmentOrderReleaseHold, always with ids: without them Shopify would release everybody's holds."""
    if not action.hold_ids:
        return Refused("NO_HOLD_NAMED", "A release without hold ids would release the holds of others too.")
    with understood("Release"):
        answer = await client.release(
            id=action.fulfillment_order_id,
            hold_ids=list(action.hold_ids),
            lane=action.lane,
            reference=context.reference,
        )
    payload = answer.fulfillment_order_release_hold
    if payload is None:
        return _NO_ITEM
    if payload.user_errors:
        return _refused(payload.user_errors)
    if payload.fulfillment_order is None:
        return _NO_ITEM
    left = [hold.id for hold in payload.fulfillment_order.fulfillment_holds if hold.id in action.hold_ids]
    if left:
        return Unknown("the release was answered, but a hold of ours is still listed")
    return Confirmed()


async def _cancel_order(client: ShopifyClient, action: CancelShopifyOrder, context: OrderContext) -> Outcome:
    """orderCancel: stock back, nobody mailed, no money moved. It is a job; reading the order shows when it is done."""
    with understood("CancelOrder"):
        answer = await client.cancel_order(
            order_id=action.shopify_order_id,
            reason="OTHER",
            restock=True,
            refund_method=OrderCancelRefundMethodInput(originalPaymentMethodsRefund=False),
            staff_note=action.note[:_LONGEST_STAFF_NOTE],
            lane=action.lane,
            reference=context.reference,
        )
    payload = answer.order_cancel
    if payload is None:
        return _NO_ITEM
    facts = (("shopify_order_id", action.shopify_order_id),)
    if not payload.order_cancel_user_errors:
        if payload.job_result is not None and payload.job_result.status == "FAILED":
            return Refused("CANCEL_FAILED", "Shopify's cancel job failed.")
        return Confirmed(facts) if payload.job is not None or payload.job_result is not None else _NO_ITEM
    refused = _refused(payload.order_cancel_user_errors)
    if isinstance(refused, Refused) and refused.code == "ALREADY_CANCELLED":
        return Confirmed(facts)
    return refused


async def _edit_order(client: ShopifyClient, action: EditShopifyOrder, context: OrderContext) -> Outcome:
    """orderEditBegin, orderEditSetQuantity and orderEditAddVariant, then orderEditCommit. Only the commit changes the
    order: whatever ends before it had no effect, and an edit session that is left behind changes nothing."""
    facts = Confirmed((("shopify_order_id", action.shopify_order_id),))
    try:
        staged = await _stage_edit(client, action, context)
    except CallFailed as failed:
        if isinstance(failed.outcome, Unknown):
            return Unavailable(f"the edit was not saved: {failed.outcome.why}")
        raise
    if isinstance(staged, Unknown):
        return Unavailable(f"the edit was not saved: {staged.why}")
    if not isinstance(staged, str):
        return staged
    if not staged:
        return facts
    await context.still_ours()
    with understood("EditCommit"):
        answer = await client.edit_commit(
            id=staged,
            staff_note=action.note[:_LONGEST_STAFF_NOTE],
            lane=action.lane,
            reference=context.reference,
        )
    payload = answer.order_edit_commit
    if payload is None:
        return _NO_ITEM
    if payload.order is not None and not payload.user_errors:
        return facts
    refused = _refused(payload.user_errors)
    if isinstance(refused, Refused) and refused.code == "NOTHING_TO_CHANGE":
        return facts
    if isinstance(refused, Refused) and refused.code == "NOT_FOUND":
        return Unavailable("the edit session ended before it was saved")
    return refused


async def _stage_edit(
    client: ShopifyClient, action: EditShopifyOrder, context: OrderContext
) -> str | Refused | Unavailable | Unknown:
    """The id of a calculated order that shows exactly what is wanted; empty when the order shows it already."""
    with understood("EditBegin"):
        begun = (
            await client.edit_begin(id=action.shopify_order_id, lane=action.lane, reference=context.reference)
        ).order_edit_begin
    if begun is None or begun.calculated_order is None:
        return _NO_ITEM if begun is None else _refused(begun.user_errors)
    calculated = begun.calculated_order
    if calculated.line_items.page_info.has_next_page:
        return Refused("ORDER_TOO_LARGE", "The order has more lines than an edit of ours can check.")
    before = {_number(line.id): line.quantity for line in calculated.line_items.nodes}
    wanted = {_number(line_id): quantity for line_id, quantity in action.quantities}
    changes = [(line, quantity) for line, quantity in wanted.items() if before.get(line, 0) != quantity]
    last = len(changes) + len(action.added)
    shown: EditedOrder | None = None
    for place, (line, quantity) in enumerate(changes, start=1):
        await context.still_ours()
        with understood("EditSetQuantity"):
            changed = (
                await client.edit_set_quantity(
                    id=calculated.id,
                    line_item_id=f"gid://shopify/CalculatedLineItem/{line}",
                    quantity=quantity,
                    restock=quantity < before.get(line, 0),
                    last=place == last,
                    lane=action.lane,
                    reference=context.reference,
                )
            ).order_edit_set_quantity
        if changed is None or changed.calculated_line_item is None or changed.user_errors:
            return _NO_ITEM if changed is None else _refused(changed.user_errors)
        shown = changed.calculated_order
    for place, new in enumerate(action.added, start=len(changes) + 1):
        await context.still_ours()
        with understood("EditAddVariant"):
            added = (
                await client.edit_add_variant(
                    id=calculated.id,
                    variant_id=new.variant_id,
                    quantity=new.quantity,
                    last=place == last,
                    lane=action.lane,
                    reference=context.reference,
                )
            ).order_edit_add_variant
        if added is None or added.calculated_line_item is None or added.user_errors:
            return _NO_ITEM if added is None else _refused(added.user_errors)
        shown = added.calculated_order
    if not last:
        return ""
    if shown is None:
        return _NO_ITEM
    if _shows(shown, before | wanted, action.added):
        return calculated.id
    return Refused(
        "EDIT_DIFFERS",
        "The edit as Shopify calculated it does not show the quantities we wanted, so it was not saved.",
    )


def _shows(shown: EditedOrder, quantities: dict[str, int], added: Sequence[AddedLine]) -> bool:
    """Whether a calculated order has exactly these quantities on its lines, by number, and exactly these additions."""
    have = {_number(line.id): line.quantity for line in shown.line_items.nodes if line.quantity}
    new = Counter(
        (line.variant.id if line.variant is not None else "", line.quantity)
        for line in shown.added_line_items.nodes
    )
    return have == {line: quantity for line, quantity in quantities.items() if quantity} and new == Counter(
        (line.variant_id, line.quantity) for line in added
    )


def _number(gid: str) -> str:
    """A line and its calculated line share their number (reference 7.1)."""
    return gid.rpartition("/")[2]


async def _ask_service_to_stop(
    client: ShopifyClient, action: AskServiceToStop, context: OrderContext
) -> Outcome:
    """fulfillmentOrderSubmitCancellationRequest. Right after it the request still reads ACCEPTED (reference 10.1), so
    it is the list of requests that tells; a refusal is checked against that list, because asking twice is refused."""
    with understood("AskServiceToStop"):
        answer = await client.ask_service_to_stop(
            id=action.fulfillment_order_id,
            message=action.message,
            lane=action.lane,
            reference=context.reference,
        )
    payload = answer.fulfillment_order_submit_cancellation_request
    if payload is None:
        return _NO_ITEM
    facts = Confirmed((("fulfillment_order_id", action.fulfillment_order_id),))
    if payload.fulfillment_order is not None and not payload.user_errors:
        return facts
    refused = _refused(payload.user_errors)
    if isinstance(refused, Refused):
        with understood("ServiceRequest"):
            seen = await client.service_request(id=action.fulfillment_order_id, lane=action.lane)
        if seen.fulfillment_order is not None and read.asked_to_stop(seen.fulfillment_order):
            return facts
    return refused


async def _clear_marker(client: ShopifyClient, action: ClearMarker, context: OrderContext) -> Outcome:
    """metafieldsSet of the lineage marker and metafieldsDelete of the unique one in one document; they run one after
    the other. A marker that is not there is what we wanted."""
    unique = MetafieldIdentifierInput(
        ownerId=action.shopify_order_id, namespace=MARKER_NAMESPACE, key=MARKER_KEY
    )
    with understood("ClearMarker"):
        answer = await client.clear_marker(
            lineage=documents.lineage_metafields(action.shopify_order_id, context),
            marker=[unique],
            lane=action.lane,
            reference=context.reference,
        )
    kept, cleared = answer.metafields_set, answer.metafields_delete
    if kept is None or cleared is None:
        return _NO_ITEM
    if kept.user_errors:
        return _refused(kept.user_errors)
    if cleared.user_errors:
        return _refused(cleared.user_errors)
    if cleared.deleted_metafields is None or not _has_marker(kept.metafields, LINEAGE_KEY, context):
        return _NO_ITEM
    return Confirmed((("shopify_order_id", action.shopify_order_id),))


async def _show_status(client: ShopifyClient, action: ShowStatus, context: OrderContext) -> Outcome:
    """tagsRemove, tagsAdd and metafieldsSet in one document; they run one after the other and each answers for itself.
    Repeating them changes nothing (reference 4.5)."""
    status = MetafieldsSetInput(
        ownerId=action.shopify_order_id,
        namespace=MARKER_NAMESPACE,
        key=STATUS_KEY,
        type="single_line_text_field",
        value=action.status,
    )
    with understood("ShowStatus"):
        answer = await client.show_status(
            id=action.shopify_order_id,
            stale=list(action.stale_tags),
            tidy=bool(action.stale_tags),
            tags=[status_tag(action.status)],
            metafields=[status],
            lane=action.lane,
            reference=context.reference,
        )
    tidied, tagged, written = answer.tags_remove, answer.tags_add, answer.metafields_set
    if tagged is None or written is None or (tidied is None and action.stale_tags):
        return _NO_ITEM
    for errors in (tidied.user_errors if tidied is not None else [], tagged.user_errors, written.user_errors):
        if errors:
            return _refused(errors)
    if not any(item.key == STATUS_KEY and item.value == action.status for item in written.metafields or ()):
        return _NO_ITEM
    return Confirmed((("shopify_order_id", action.shopify_order_id),))


async def _clear_status(client: ShopifyClient, action: ClearStatus, context: OrderContext) -> Outcome:
    """tagsRemove and metafieldsDelete in one document; they run one after the other and each answers for itself. A metafield
    that is not there is what we wanted."""
    status = MetafieldIdentifierInput(
        ownerId=action.shopify_order_id, namespace=MARKER_NAMESPACE, key=STATUS_KEY
    )
    with understood("ClearStatus"):
        answer = await client.clear_status(
            id=action.shopify_order_id,
            tags=list(action.tags),
            tidy=bool(action.tags),
            status=[status],
            lane=action.lane,
            reference=context.reference,
        )
    tidied, cleared = answer.tags_remove, answer.metafields_delete
    if cleared is None or (tidied is None and action.tags):
        return _NO_ITEM
    for errors in (tidied.user_errors if tidied is not None else [], cleared.user_errors):
        if errors:
            return _refused(errors)
    if cleared.deleted_metafields is None:
        return _NO_ITEM
    return Confirmed((("shopify_order_id", action.shopify_order_id),))


async def define_status(client: ShopifyClient) -> Outcome:
    """metafieldDefinitionCreate: shows our status on the order's page in the Shopify admin, where staff may read but not
    change it. Repeatable."""
    definition = MetafieldDefinitionInput(
        name="Interlock",
        namespace=MARKER_NAMESPACE,
        key=STATUS_KEY,
        type="single_line_text_field",
        ownerType="ORDER",
        description="Whether this order agrees with its marketplace order: in sync, held and why, or needs decision.",
        access=MetafieldAccessInput(admin="MERCHANT_READ"),
        pin=True,
    )
    outcome = await _define(client, definition)
    if isinstance(outcome, Refused) and outcome.code == "PINNED_LIMIT_REACHED":
        # Twenty others are pinned already: staff can still open it from the order's page.
        definition.pin = False
        outcome = await _define(client, definition)
    return outcome


async def define_marker(client: ShopifyClient) -> Outcome:
    """metafieldDefinitionCreate: the `id` metafield that makes our marker unique in the shop. Repeatable."""
    definition = MetafieldDefinitionInput(
        name="Mirakl order", namespace=MARKER_NAMESPACE, key=MARKER_KEY, type="id", ownerType="ORDER"
    )
    return await _define(client, definition)


async def _define(client: ShopifyClient, definition: MetafieldDefinitionInput) -> Outcome:
    try:
        with understood("DefineMarker"):
            payload = (await client.define_marker(definition=definition)).metafield_definition_create
    except CallFailed as failed:
        return failed.outcome
    if payload is None:
        return _NO_ITEM
    if payload.created_definition is not None and not payload.user_errors:
        return Confirmed()
    refused = _refused(payload.user_errors)
    return Confirmed() if isinstance(refused, Refused) and refused.code == "TAKEN" else refused


async def set_instance_mark(
    client: ShopifyClient, installation_id: str, value: str, digest: str, reference: str = ""
) -> Outcome:
    """metafieldsSet on the app's own installation, only if the mark is still the one of `digest` (empty: there is none).
    STALE_OBJECT: another installation moved it meanwhile."""
    mark = MetafieldsSetInput(
        ownerId=installation_id,
        namespace=MARKER_NAMESPACE,
        key=INSTANCE_KEY,
        type="single_line_text_field",
        value=value,
        compareDigest=digest or None,
    )
    try:
        with understood("SetInstanceMark"):
            payload = (await client.set_instance_mark(metafields=[mark], reference=reference)).metafields_set
    except CallFailed as failed:
        return failed.outcome
    if payload is None:
        return _NO_ITEM
    if payload.user_errors:
        return _refused(payload.user_errors)
    return Confirmed() if any(item.value == value for item in payload.metafields or ()) else _NO_ITEM


async def subscribe(client: ShopifyClient, topic: str, uri: str, include_fields: tuple[str, ...]) -> Outcome:
    """webhookSubscriptionCreate: deliveries of `topic` come to `uri`. An address that is taken already is ours
    (reference 9.2)."""
    wanted = WebhookSubscriptionInput(uri=uri, format="JSON")
    if include_fields:
        wanted.include_fields = list(include_fields)
    try:
        with understood("Subscribe"):
            payload = (await client.subscribe(topic=topic, subscription=wanted)).webhook_subscription_create
    except CallFailed as failed:
        return failed.outcome
    if payload is None:
        return _NO_ITEM
    if payload.webhook_subscription is not None and not payload.user_errors:
        return Confirmed((("subscription_id", payload.webhook_subscription.id),))
    refused = _refused(payload.user_errors)
    return Confirmed() if isinstance(refused, Refused) and refused.code == "TAKEN" else refused


class _UserError(Protocol):
    @property
    def message(self) -> str: ...


def _refused(errors: Sequence[_UserError], private: tuple[str, ...] = ()) -> Refused | Unavailable | Unknown:
    """What a payload's user errors mean; without any, an answer that lacks our item is unclear."""
    found = user_errors([(getattr(error, "code", None), error.message) for error in errors], private)
    return found if found is not None else _NO_ITEM


class _Metafield(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def value(self) -> str: ...


def _has_marker(written: Sequence[_Metafield] | None, key: str, context: OrderContext) -> bool:
    return any(item.key == key and item.value == context.marker for item in written or ())


def _order_facts(order_id: str, name: str) -> Confirmed:
    return Confirmed((("shopify_order_id", order_id), ("shopify_order_name", name)))
