"""Every open question about Shopify that the product depends on, with all plausible answers."""

from interlock.simulator.switches import Switch


def _switch(name: str, reference: str, question: str, values: tuple[str, ...], how_to_settle: str) -> Switch:
    """The first value is the default."""
    return Switch(name, "shopify", reference, question, values, values[0], how_to_settle)


SHOPIFY_SWITCHES: tuple[Switch, ...] = (
    _switch(
        "staff_edit_of_app_order",
        "1.1, 8, 17.1",
        "May staff edit, in the admin, an order that an app made with orderCreate?",
        ("refused", "allowed"),
        "Create an order with orderCreate on a development store, open it in the admin and look for the Edit button.",
    ),
    _switch(
        "foreign_app_edit_of_app_order",
        "1.1, 8, 17.1",
        "May a second app begin an order edit on an order that another app made with orderCreate?",
        ("refused", "allowed"),
        "Install two apps on a development store; create with one, call orderEditBegin with the other.",
    ),
    _switch(
        "merchant_editable_to_others",
        "5.4, 17.1",
        "What does merchantEditable read, for an app that did not create it, on an orderCreate order?",
        ("true", "false"),
        "Read merchantEditable and merchantEditableErrors of the order with the second app's token.",
    ),
    _switch(
        "duplicate_marker_in_order_create",
        "5.5, 17.2",
        "orderCreate with an id metafield whose value is taken: is the order refused as a whole, left behind without "
        "the metafield, or accepted with the metafield dropped silently?",
        ("refused_whole", "order_left_behind", "dropped_silently"),
        "Define the metafield, create two orders with the same value, list both orders.",
    ),
    _switch(
        "routing",
        "5.1, 17.3",
        "When do fulfilment orders appear after an order was created?",
        ("at_creation", "after_seconds", "after_minutes"),
        "Read fulfillmentOrders in the mutation's own answer, then poll it and watch order_routing_complete.",
    ),
    _switch(
        "edit_addition",
        "7.3, 1.9, 17.4",
        "Where does a unit go that an edit adds, when an open fulfilment order at its location exists?",
        ("new_fulfillment_order", "open_fulfillment_order"),
        "Raise a quantity and add a variant in the admin; list the fulfilment orders before and after.",
    ),
    _switch(
        "held_absorbs_additions",
        "1.9, 7.3, 17.4",
        "Does a held fulfilment order take what an edit adds, or does it land in a new one without a hold?",
        ("no", "yes"),
        "Hold every fulfilment order, add a line in the admin, list fulfilment orders and holds.",
    ),
    _switch(
        "edit_on_held_order",
        "17.4",
        "Does an edit that changes a held fulfilment order keep the hold?",
        ("keeps_hold", "drops_hold"),
        "Hold, lower a quantity in the admin, read fulfillmentHolds.",
    ),
    _switch(
        "draft_metafields_copied",
        "5.4, 17.16",
        "Are a draft's metafields copied to the order its completion makes?",
        ("no", "yes"),
        "Create a draft with a metafield, complete it, read the order's metafield.",
    ),
    _switch(
        "draft_line_attributes_copied",
        "5.4",
        "Are the custom attributes of a draft's lines copied to the order's lines?",
        ("yes", "no"),
        "Create a draft with line attributes, complete it, read the order's lines.",
    ),
    _switch(
        "draft_order_app",
        "5.4, 17.1",
        "Which app does an order name that came from a draft made through the API?",
        ("creating_app", "draft_orders_app"),
        "Complete an API draft and read Order.app.",
    ),
    _switch(
        "draft_without_stock",
        "5.4, 17.13",
        "A draft's reservation, or its completion, needs more than is available: refused or oversold?",
        ("refused", "oversells"),
        "Reserve and complete a draft for more units than are available; read the inventory level.",
    ),
    _switch(
        "omitted_requires_shipping",
        "5.1",
        "orderCreate line without requiresShipping: is it false as the schema says, or the variant's own value?",
        ("false", "variant"),
        "Create an order without the field for a shippable variant and read LineItem.requiresShipping.",
    ),
    _switch(
        "address_change_reaches_fulfillment_orders",
        "8, 15.16",
        "Does a changed shipping address reach the destination of fulfilment orders that are still open?",
        ("open_ones", "never"),
        "Change the address with orderUpdate, then in the admin; compare FulfillmentOrder.destination.",
    ),
    _switch(
        "removal_without_restock",
        "14.4, 17.13",
        "A line is removed without restocking: does on-hand stock fall, or does the commitment stay?",
        ("on_hand_falls", "commitment_stays"),
        "Remove a line with restock off and read all inventory quantities.",
    ),
    _switch(
        "restock_of_unclaimed_units",
        "14.4, 17.13",
        "An order that never claimed stock loses a line with restock on: does available stock grow?",
        ("inflates", "ignored"),
        "Create with BYPASS, remove a line with restock, read available.",
    ),
    _switch(
        "partly_fulfilled_holdable",
        "10.5",
        "Can a fulfilment order that is partly fulfilled still be held?",
        ("yes", "no"),
        "Fulfil one of two units, then read supportedActions and try to hold.",
    ),
    _switch(
        "hold_of_submitted_request",
        "10.1, 10.4",
        "Is HOLD still offered while a request is SUBMITTED and the fulfilment service has not answered?",
        ("offered", "not_offered"),
        "Submit a request to a test fulfilment service, read supportedActions before it answers.",
    ),
    _switch(
        "cancellation_request_shows",
        "10.1",
        "After a cancellation request was submitted requestStatus still reads ACCEPTED: for a while, or until the "
        "service answers?",
        ("until_answered", "after_seconds"),
        "Submit a cancellation request and poll requestStatus for some minutes before the service answers.",
    ),
    _switch(
        "accepted_cancellation",
        "10.1",
        "The service accepts a cancellation request: is the same fulfilment order open again, or is it closed and its "
        "units are in a new one?",
        ("reopens_same", "closes_and_reopens"),
        "Accept a cancellation request as the test service; list the order's fulfilment orders.",
    ),
    _switch(
        "release_of_foreign_hold",
        "10.3",
        "May an app release another app's hold by its id?",
        ("allowed", "refused"),
        "Place a hold with one app, release it by id with another.",
    ),
    _switch(
        "archived_orders_editable",
        "7.2",
        "Can an archived order be edited (the commit unarchives it)?",
        ("yes", "no"),
        "Close an order, begin an edit, commit.",
    ),
    _switch(
        "second_edit_session",
        "7.2",
        "Is a second open edit session on one order refused, or does the last commit win?",
        ("last_commit_wins", "refused"),
        "Begin two edits on one order and commit both.",
    ),
    _switch(
        "restocked_quantity_in_removal_refund",
        "7.3, 17.6",
        "Does a removal always write a Refund record, or only when money had been captured?",
        ("always", "only_when_paid"),
        "Remove a line from a paid and from a pending order; list refunds.",
    ),
    _switch(
        "index_lag",
        "5.1, 17.14",
        "How far does the index behind orders(query:) lag?",
        ("seconds", "none", "minutes"),
        "Poll orders(query:) after creations and edits for a day and keep the distribution.",
    ),
    _switch(
        "custom_id_lookup",
        "5.5",
        "Does orderByIdentifier read its own writes, or does it lag like the search index?",
        ("immediate", "lags"),
        "Create with an id metafield and look it up at once, a hundred times.",
    ),
    _switch(
        "cancel_of_held_order",
        "7.4",
        "Do holds stay listed on the fulfilment orders of an order that was cancelled?",
        ("holds_removed", "holds_stay"),
        "Hold, cancel in the admin, read fulfillmentHolds of the closed fulfilment orders.",
    ),
    _switch(
        "cancelled_status",
        "10.1",
        "Which status do fulfilment orders have after the order was cancelled?",
        ("CLOSED", "CANCELLED"),
        "Cancel and read FulfillmentOrder.status.",
    ),
    _switch(
        "subscription_removal_counts",
        "9.1",
        "Eight consecutive failures remove a subscription: of one delivery's attempts, or of any attempts in a row?",
        ("one_delivery", "any_attempts"),
        "Answer 500 on a subscription with several deliveries an hour and watch when it disappears.",
    ),
    _switch(
        "old_token_after_refresh",
        "17.11",
        "Does an earlier client-credentials token stay valid when a new one is asked for?",
        ("stays_valid", "revoked"),
        "Ask twice, use both.",
    ),
    _switch(
        "order_edit_id",
        "6.3, 17.5",
        "Is the id in the orders/edited payload the number of the agreement, or a number of its own?",
        ("own_number", "agreement_number"),
        "Commit an edit; compare order_edit.id with the agreement's id.",
    ),
)
