from typing import Any, Optional, Union

from .all_variants import AllVariants
from .annotate import Annotate
from .ask_service_to_stop import AskServiceToStop
from .base_client import BaseClient
from .base_model import UNSET, UnsetType
from .cancel_order import CancelOrder
from .clear_marker import ClearMarker
from .clear_status import ClearStatus
from .complete_draft import CompleteDraft
from .create_draft import CreateDraft
from .create_order import CreateOrder
from .define_marker import DefineMarker
from .delete_draft import DeleteDraft
from .draft_snapshot import DraftSnapshot
from .drafts_by_tag import DraftsByTag
from .edit_add_variant import EditAddVariant
from .edit_begin import EditBegin
from .edit_commit import EditCommit
from .edit_set_quantity import EditSetQuantity
from .fulfillment_lines_after import FulfillmentLinesAfter
from .fulfillment_order_lines_after import FulfillmentOrderLinesAfter
from .fulfillment_order_owner import FulfillmentOrderOwner
from .hold import Hold
from .input_types import (
    DraftOrderDeleteInput,
    DraftOrderInput,
    FulfillmentOrderHoldInput,
    MetafieldDefinitionInput,
    MetafieldIdentifierInput,
    MetafieldsSetInput,
    OrderCancelRefundMethodInput,
    OrderCreateOptionsInput,
    OrderCreateOrderInput,
    OrderIdentifierInput,
    OrderInput,
    OrderMarkAsPaidInput,
    WebhookSubscriptionInput,
)
from .instance_mark import InstanceMark
from .inventory_levels_after import InventoryLevelsAfter
from .mark_paid import MarkPaid
from .order_agreements import OrderAgreements
from .order_by_marker import OrderByMarker
from .order_fulfillment_orders_after import OrderFulfillmentOrdersAfter
from .order_lines_after import OrderLinesAfter
from .order_snapshot import OrderSnapshot
from .order_state import OrderState
from .orders_updated_since import OrdersUpdatedSince
from .refund_lines_after import RefundLinesAfter
from .refund_transactions_after import RefundTransactionsAfter
from .release import Release
from .service_request import ServiceRequest
from .set_instance_mark import SetInstanceMark
from .show_status import ShowStatus
from .startup_check import StartupCheck
from .stock_changed_at import StockChangedAt
from .stock_listed import StockListed
from .stock_of_items import StockOfItems
from .stranger import Stranger
from .subscribe import Subscribe
from .subscriptions import Subscriptions
from .update_draft import UpdateDraft
from .update_order_address import UpdateOrderAddress
from .variant_prices import VariantPrices
from .variants_by_sku import VariantsBySku


def gql(q: str) -> str:
    return q


class Operations(BaseClient):
    async def all_variants(
        self, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> AllVariants:
        query = gql("""
            query AllVariants($after: String) {
              shop {
                currencyCode
              }
              productVariants(first: 250, after: $after) {
                nodes {
                  id
                  sku
                  barcode
                  title
                  price
                  requiresComponents
                  product {
                    title
                    status
                  }
                  inventoryItem {
                    id
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"after": after}
        response = await self.execute(
            query=query, operation_name="AllVariants", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return AllVariants.model_validate(data)

    async def annotate(
        self,
        id: str,
        tags: list[str],
        metafields: list[MetafieldsSetInput],
        **kwargs: Any,
    ) -> Annotate:
        query = gql("""
            mutation Annotate($id: ID!, $tags: [String!]!, $metafields: [MetafieldsSetInput!]!) {
              metafieldsSet(metafields: $metafields) {
                metafields {
                  key
                  value
                }
                userErrors {
                  field
                  message
                  code
                }
              }
              tagsAdd(id: $id, tags: $tags) {
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "tags": tags,
            "metafields": metafields,
        }
        response = await self.execute(
            query=query, operation_name="Annotate", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Annotate.model_validate(data)

    async def ask_service_to_stop(
        self, id: str, message: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> AskServiceToStop:
        query = gql("""
            mutation AskServiceToStop($id: ID!, $message: String) {
              fulfillmentOrderSubmitCancellationRequest(id: $id, message: $message) {
                fulfillmentOrder {
                  ...RequestState
                }
                userErrors {
                  field
                  message
                }
              }
            }

            fragment MerchantRequests on FulfillmentOrder {
              merchantRequests(first: 3, reverse: true) {
                nodes {
                  kind
                  sentAt
                }
              }
            }

            fragment RequestState on FulfillmentOrder {
              id
              requestStatus
              ...MerchantRequests
            }
            """)
        variables: dict[str, object] = {"id": id, "message": message}
        response = await self.execute(
            query=query,
            operation_name="AskServiceToStop",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return AskServiceToStop.model_validate(data)

    async def cancel_order(
        self,
        order_id: str,
        reason: str,
        restock: bool,
        refund_method: OrderCancelRefundMethodInput,
        staff_note: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> CancelOrder:
        query = gql("""
            mutation CancelOrder($orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $refundMethod: OrderCancelRefundMethodInput!, $staffNote: String) {
              orderCancel(
                orderId: $orderId
                reason: $reason
                restock: $restock
                refundMethod: $refundMethod
                notifyCustomer: false
                staffNote: $staffNote
              ) {
                job {
                  id
                  done
                }
                jobResult {
                  id
                  status
                }
                orderCancelUserErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "orderId": order_id,
            "reason": reason,
            "restock": restock,
            "refundMethod": refund_method,
            "staffNote": staff_note,
        }
        response = await self.execute(
            query=query, operation_name="CancelOrder", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CancelOrder.model_validate(data)

    async def clear_marker(
        self,
        lineage: list[MetafieldsSetInput],
        marker: list[MetafieldIdentifierInput],
        **kwargs: Any,
    ) -> ClearMarker:
        query = gql("""
            mutation ClearMarker($lineage: [MetafieldsSetInput!]!, $marker: [MetafieldIdentifierInput!]!) {
              metafieldsSet(metafields: $lineage) {
                metafields {
                  key
                  value
                }
                userErrors {
                  field
                  message
                  code
                }
              }
              metafieldsDelete(metafields: $marker) {
                deletedMetafields {
                  key
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"lineage": lineage, "marker": marker}
        response = await self.execute(
            query=query, operation_name="ClearMarker", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ClearMarker.model_validate(data)

    async def clear_status(
        self,
        id: str,
        tags: list[str],
        tidy: bool,
        status: list[MetafieldIdentifierInput],
        **kwargs: Any,
    ) -> ClearStatus:
        query = gql("""
            mutation ClearStatus($id: ID!, $tags: [String!]!, $tidy: Boolean!, $status: [MetafieldIdentifierInput!]!) {
              tagsRemove(id: $id, tags: $tags) @include(if: $tidy) {
                userErrors {
                  field
                  message
                }
              }
              metafieldsDelete(metafields: $status) {
                deletedMetafields {
                  key
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "tags": tags,
            "tidy": tidy,
            "status": status,
        }
        response = await self.execute(
            query=query, operation_name="ClearStatus", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ClearStatus.model_validate(data)

    async def complete_draft(self, id: str, **kwargs: Any) -> CompleteDraft:
        query = gql("""
            mutation CompleteDraft($id: ID!) {
              draftOrderComplete(id: $id) {
                draftOrder {
                  id
                  status
                  order {
                    id
                    name
                  }
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="CompleteDraft", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CompleteDraft.model_validate(data)

    async def create_draft(self, input: DraftOrderInput, **kwargs: Any) -> CreateDraft:
        query = gql("""
            mutation CreateDraft($input: DraftOrderInput!) {
              draftOrderCreate(input: $input) {
                draftOrder {
                  id
                  status
                  reserveInventoryUntil
                  totalPriceSet {
                    ...Bag
                  }
                }
                userErrors {
                  field
                  message
                }
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CreateDraft", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateDraft.model_validate(data)

    async def create_order(
        self,
        order: OrderCreateOrderInput,
        options: OrderCreateOptionsInput,
        **kwargs: Any,
    ) -> CreateOrder:
        query = gql("""
            mutation CreateOrder($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput!) {
              orderCreate(order: $order, options: $options) {
                order {
                  id
                  name
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {"order": order, "options": options}
        response = await self.execute(
            query=query, operation_name="CreateOrder", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateOrder.model_validate(data)

    async def define_marker(
        self, definition: MetafieldDefinitionInput, **kwargs: Any
    ) -> DefineMarker:
        query = gql("""
            mutation DefineMarker($definition: MetafieldDefinitionInput!) {
              metafieldDefinitionCreate(definition: $definition) {
                createdDefinition {
                  id
                  namespace
                  key
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {"definition": definition}
        response = await self.execute(
            query=query, operation_name="DefineMarker", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DefineMarker.model_validate(data)

    async def delete_draft(
        self, input: DraftOrderDeleteInput, **kwargs: Any
    ) -> DeleteDraft:
        query = gql("""
            mutation DeleteDraft($input: DraftOrderDeleteInput!) {
              draftOrderDelete(input: $input) {
                deletedId
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="DeleteDraft", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DeleteDraft.model_validate(data)

    async def draft_snapshot(self, id: str, **kwargs: Any) -> DraftSnapshot:
        query = gql("""
            query DraftSnapshot($id: ID!) {
              draftOrder(id: $id) {
                ...DraftFields
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }

            fragment DraftFields on DraftOrder {
              id
              status
              createdAt
              reserveInventoryUntil
              presentmentCurrencyCode
              totalPriceSet {
                ...Bag
              }
              customAttributes {
                key
                value
              }
              order {
                id
                name
              }
              shippingAddress {
                ...PostalAddress
              }
            }

            fragment PostalAddress on MailingAddress {
              firstName
              lastName
              company
              address1
              address2
              city
              province
              zip
              countryCodeV2
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="DraftSnapshot", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DraftSnapshot.model_validate(data)

    async def drafts_by_tag(
        self, search: str, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> DraftsByTag:
        query = gql("""
            query DraftsByTag($search: String!, $after: String) {
              draftOrders(first: 20, query: $search, after: $after) {
                nodes {
                  ...DraftFields
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }

            fragment DraftFields on DraftOrder {
              id
              status
              createdAt
              reserveInventoryUntil
              presentmentCurrencyCode
              totalPriceSet {
                ...Bag
              }
              customAttributes {
                key
                value
              }
              order {
                id
                name
              }
              shippingAddress {
                ...PostalAddress
              }
            }

            fragment PostalAddress on MailingAddress {
              firstName
              lastName
              company
              address1
              address2
              city
              province
              zip
              countryCodeV2
            }
            """)
        variables: dict[str, object] = {"search": search, "after": after}
        response = await self.execute(
            query=query, operation_name="DraftsByTag", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DraftsByTag.model_validate(data)

    async def edit_add_variant(
        self, id: str, variant_id: str, quantity: int, last: bool, **kwargs: Any
    ) -> EditAddVariant:
        query = gql("""
            mutation EditAddVariant($id: ID!, $variantId: ID!, $quantity: Int!, $last: Boolean!) {
              orderEditAddVariant(
                id: $id
                variantId: $variantId
                quantity: $quantity
                allowDuplicates: true
              ) {
                calculatedLineItem {
                  id
                  quantity
                }
                calculatedOrder @include(if: $last) {
                  ...EditedOrder
                }
                userErrors {
                  field
                  message
                }
              }
            }

            fragment EditedOrder on CalculatedOrder {
              id
              lineItems(first: 250) {
                nodes {
                  id
                  quantity
                }
              }
              addedLineItems(first: 50) {
                nodes {
                  quantity
                  variant {
                    id
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "variantId": variant_id,
            "quantity": quantity,
            "last": last,
        }
        response = await self.execute(
            query=query, operation_name="EditAddVariant", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return EditAddVariant.model_validate(data)

    async def edit_begin(self, id: str, **kwargs: Any) -> EditBegin:
        query = gql("""
            mutation EditBegin($id: ID!) {
              orderEditBegin(id: $id) {
                calculatedOrder {
                  id
                  lineItems(first: 250) {
                    nodes {
                      id
                      quantity
                    }
                    pageInfo {
                      hasNextPage
                    }
                  }
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="EditBegin", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return EditBegin.model_validate(data)

    async def edit_commit(
        self,
        id: str,
        staff_note: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> EditCommit:
        query = gql("""
            mutation EditCommit($id: ID!, $staffNote: String) {
              orderEditCommit(id: $id, notifyCustomer: false, staffNote: $staffNote) {
                order {
                  id
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "staffNote": staff_note}
        response = await self.execute(
            query=query, operation_name="EditCommit", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return EditCommit.model_validate(data)

    async def edit_set_quantity(
        self,
        id: str,
        line_item_id: str,
        quantity: int,
        restock: bool,
        last: bool,
        **kwargs: Any,
    ) -> EditSetQuantity:
        query = gql("""
            mutation EditSetQuantity($id: ID!, $lineItemId: ID!, $quantity: Int!, $restock: Boolean!, $last: Boolean!) {
              orderEditSetQuantity(
                id: $id
                lineItemId: $lineItemId
                quantity: $quantity
                restock: $restock
              ) {
                calculatedLineItem {
                  id
                  quantity
                }
                calculatedOrder @include(if: $last) {
                  ...EditedOrder
                }
                userErrors {
                  field
                  message
                }
              }
            }

            fragment EditedOrder on CalculatedOrder {
              id
              lineItems(first: 250) {
                nodes {
                  id
                  quantity
                }
              }
              addedLineItems(first: 50) {
                nodes {
                  quantity
                  variant {
                    id
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "lineItemId": line_item_id,
            "quantity": quantity,
            "restock": restock,
            "last": last,
        }
        response = await self.execute(
            query=query, operation_name="EditSetQuantity", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return EditSetQuantity.model_validate(data)

    async def fulfillment_lines_after(
        self, id: str, after: str, **kwargs: Any
    ) -> FulfillmentLinesAfter:
        query = gql("""
            query FulfillmentLinesAfter($id: ID!, $after: String!) {
              fulfillment(id: $id) {
                fulfillmentLineItems(first: 100, after: $after) {
                  nodes {
                    quantity
                    lineItem {
                      id
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="FulfillmentLinesAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return FulfillmentLinesAfter.model_validate(data)

    async def fulfillment_order_lines_after(
        self, id: str, after: str, **kwargs: Any
    ) -> FulfillmentOrderLinesAfter:
        query = gql("""
            query FulfillmentOrderLinesAfter($id: ID!, $after: String!) {
              fulfillmentOrder(id: $id) {
                lineItems(first: 100, after: $after) {
                  nodes {
                    ...FulfillmentOrderLineFields
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }

            fragment FulfillmentOrderLineFields on FulfillmentOrderLineItem {
              id
              remainingQuantity
              lineItem {
                id
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="FulfillmentOrderLinesAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return FulfillmentOrderLinesAfter.model_validate(data)

    async def fulfillment_order_owner(
        self, id: str, **kwargs: Any
    ) -> FulfillmentOrderOwner:
        query = gql("""
            query FulfillmentOrderOwner($id: ID!) {
              fulfillmentOrder(id: $id) {
                id
                status
                orderId
                orderName
                fulfillmentHolds {
                  id
                  handle
                  heldByRequestingApp
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query,
            operation_name="FulfillmentOrderOwner",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return FulfillmentOrderOwner.model_validate(data)

    async def hold(
        self, id: str, hold: FulfillmentOrderHoldInput, **kwargs: Any
    ) -> Hold:
        query = gql("""
            mutation Hold($id: ID!, $hold: FulfillmentOrderHoldInput!) {
              fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
                fulfillmentHold {
                  id
                  handle
                  heldByRequestingApp
                }
                fulfillmentOrder {
                  id
                  status
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "hold": hold}
        response = await self.execute(
            query=query, operation_name="Hold", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Hold.model_validate(data)

    async def instance_mark(
        self, namespace: str, key: str, **kwargs: Any
    ) -> InstanceMark:
        query = gql("""
            query InstanceMark($namespace: String!, $key: String!) {
              currentAppInstallation {
                id
                mark: metafield(namespace: $namespace, key: $key) {
                  value
                  compareDigest
                }
              }
            }
            """)
        variables: dict[str, object] = {"namespace": namespace, "key": key}
        response = await self.execute(
            query=query, operation_name="InstanceMark", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return InstanceMark.model_validate(data)

    async def inventory_levels_after(
        self, id: str, after: str, **kwargs: Any
    ) -> InventoryLevelsAfter:
        query = gql("""
            query InventoryLevelsAfter($id: ID!, $after: String!) {
              inventoryItem(id: $id) {
                inventoryLevels(first: 50, after: $after) {
                  nodes {
                    isActive
                    location {
                      id
                      isActive
                      fulfillsOnlineOrders
                    }
                    quantities(names: ["available"]) {
                      name
                      quantity
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="InventoryLevelsAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return InventoryLevelsAfter.model_validate(data)

    async def mark_paid(self, input: OrderMarkAsPaidInput, **kwargs: Any) -> MarkPaid:
        query = gql("""
            mutation MarkPaid($input: OrderMarkAsPaidInput!) {
              orderMarkAsPaid(input: $input) {
                order {
                  id
                  fullyPaid
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="MarkPaid", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return MarkPaid.model_validate(data)

    async def order_agreements(
        self, id: str, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> OrderAgreements:
        query = gql("""
            query OrderAgreements($id: ID!, $after: String) {
              currentAppInstallation {
                app {
                  id
                }
              }
              order(id: $id) {
                agreements(first: 25, after: $after) {
                  nodes {
                    __typename
                    id
                    happenedAt
                    reason
                    app {
                      id
                      handle
                      title
                    }
                    sales(first: 50) {
                      nodes {
                        __typename
                        id
                        quantity
                        ... on ProductSale {
                          lineItem {
                            id
                          }
                        }
                      }
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query, operation_name="OrderAgreements", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderAgreements.model_validate(data)

    async def order_by_marker(
        self, identifier: OrderIdentifierInput, namespace: str, key: str, **kwargs: Any
    ) -> OrderByMarker:
        query = gql("""
            query OrderByMarker($identifier: OrderIdentifierInput!, $namespace: String!, $key: String!) {
              orderByIdentifier(identifier: $identifier) {
                id
                name
                createdAt
                cancelledAt
                marker: metafield(namespace: $namespace, key: $key) {
                  value
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "identifier": identifier,
            "namespace": namespace,
            "key": key,
        }
        response = await self.execute(
            query=query, operation_name="OrderByMarker", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderByMarker.model_validate(data)

    async def order_fulfillment_orders_after(
        self, id: str, after: str, **kwargs: Any
    ) -> OrderFulfillmentOrdersAfter:
        query = gql("""
            query OrderFulfillmentOrdersAfter($id: ID!, $after: String!) {
              order(id: $id) {
                updatedAt
                fulfillmentOrders(first: 10, after: $after) {
                  nodes {
                    ...FulfillmentOrderFields
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }

            fragment FulfillmentOrderFields on FulfillmentOrder {
              id
              status
              requestStatus
              supportedActions {
                action
              }
              fulfillmentHolds {
                id
                handle
                reasonNotes
                heldByRequestingApp
              }
              assignedLocation {
                location {
                  id
                  isFulfillmentService
                }
              }
              ...MerchantRequests
              deliveryMethod {
                methodType
              }
              destination {
                firstName
                lastName
                company
                address1
                address2
                city
                province
                zip
                countryCode
              }
              lineItems(first: 20) {
                nodes {
                  ...FulfillmentOrderLineFields
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment FulfillmentOrderLineFields on FulfillmentOrderLineItem {
              id
              remainingQuantity
              lineItem {
                id
              }
            }

            fragment MerchantRequests on FulfillmentOrder {
              merchantRequests(first: 3, reverse: true) {
                nodes {
                  kind
                  sentAt
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="OrderFulfillmentOrdersAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return OrderFulfillmentOrdersAfter.model_validate(data)

    async def order_lines_after(
        self, id: str, after: str, **kwargs: Any
    ) -> OrderLinesAfter:
        query = gql("""
            query OrderLinesAfter($id: ID!, $after: String!) {
              order(id: $id) {
                updatedAt
                lineItems(first: 100, after: $after) {
                  nodes {
                    ...LineFields
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }

            fragment LineFields on LineItem {
              id
              sku
              title
              quantity
              currentQuantity
              requiresShipping
              customAttributes {
                key
                value
              }
              variant {
                id
              }
              lineItemGroup {
                id
              }
              discountedUnitPriceAfterAllDiscountsSet {
                ...Bag
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query, operation_name="OrderLinesAfter", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderLinesAfter.model_validate(data)

    async def order_snapshot(
        self,
        id: str,
        namespace: str,
        key: str,
        lineage: str,
        status: str,
        listed: int,
        customer: bool,
        **kwargs: Any,
    ) -> OrderSnapshot:
        query = gql("""
            query OrderSnapshot($id: ID!, $namespace: String!, $key: String!, $lineage: String!, $status: String!, $listed: Int!, $customer: Boolean!) {
              order(id: $id) {
                id
                name
                createdAt
                updatedAt
                cancelledAt
                closed
                edited
                merchantEditable
                merchantEditableErrors
                presentmentCurrencyCode
                fullyPaid
                displayFinancialStatus
                tags
                note
                customAttributes {
                  key
                  value
                }
                marker: metafield(namespace: $namespace, key: $key) {
                  value
                }
                lineage: metafield(namespace: $namespace, key: $lineage) {
                  value
                }
                status: metafield(namespace: $namespace, key: $status) {
                  value
                }
                email
                customer @include(if: $customer) {
                  defaultEmailAddress {
                    marketingState
                  }
                }
                sourceIdentifier
                app {
                  name
                }
                currentTotalPriceSet {
                  ...Bag
                }
                currentShippingPriceSet {
                  ...Bag
                }
                shippingAddress {
                  ...PostalAddress
                  phone @include(if: $customer)
                }
                lineItems(first: 50) {
                  nodes {
                    ...LineFields
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
                fulfillmentOrders(first: 5) {
                  nodes {
                    ...FulfillmentOrderFields
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
                fulfillments(first: $listed) {
                  id
                  status
                  displayStatus
                  createdAt
                  location {
                    id
                  }
                  trackingInfo(first: 3) {
                    company
                    number
                    url
                  }
                  fulfillmentLineItems(first: 20) {
                    nodes {
                      quantity
                      lineItem {
                        id
                      }
                    }
                    pageInfo {
                      hasNextPage
                      endCursor
                    }
                  }
                }
                refunds(first: $listed) {
                  id
                  createdAt
                  refundLineItems(first: 20) {
                    nodes {
                      quantity
                      lineItem {
                        id
                      }
                    }
                    pageInfo {
                      hasNextPage
                      endCursor
                    }
                  }
                  transactions(first: 3) {
                    nodes {
                      kind
                      status
                      amountSet {
                        ...Bag
                      }
                    }
                    pageInfo {
                      hasNextPage
                      endCursor
                    }
                  }
                }
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }

            fragment FulfillmentOrderFields on FulfillmentOrder {
              id
              status
              requestStatus
              supportedActions {
                action
              }
              fulfillmentHolds {
                id
                handle
                reasonNotes
                heldByRequestingApp
              }
              assignedLocation {
                location {
                  id
                  isFulfillmentService
                }
              }
              ...MerchantRequests
              deliveryMethod {
                methodType
              }
              destination {
                firstName
                lastName
                company
                address1
                address2
                city
                province
                zip
                countryCode
              }
              lineItems(first: 20) {
                nodes {
                  ...FulfillmentOrderLineFields
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment FulfillmentOrderLineFields on FulfillmentOrderLineItem {
              id
              remainingQuantity
              lineItem {
                id
              }
            }

            fragment LineFields on LineItem {
              id
              sku
              title
              quantity
              currentQuantity
              requiresShipping
              customAttributes {
                key
                value
              }
              variant {
                id
              }
              lineItemGroup {
                id
              }
              discountedUnitPriceAfterAllDiscountsSet {
                ...Bag
              }
            }

            fragment MerchantRequests on FulfillmentOrder {
              merchantRequests(first: 3, reverse: true) {
                nodes {
                  kind
                  sentAt
                }
              }
            }

            fragment PostalAddress on MailingAddress {
              firstName
              lastName
              company
              address1
              address2
              city
              province
              zip
              countryCodeV2
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "namespace": namespace,
            "key": key,
            "lineage": lineage,
            "status": status,
            "listed": listed,
            "customer": customer,
        }
        response = await self.execute(
            query=query, operation_name="OrderSnapshot", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderSnapshot.model_validate(data)

    async def order_state(self, id: str, **kwargs: Any) -> OrderState:
        query = gql("""
            query OrderState($id: ID!) {
              order(id: $id) {
                id
                name
                cancelledAt
                fullyPaid
                displayFinancialStatus
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="OrderState", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return OrderState.model_validate(data)

    async def orders_updated_since(
        self, search: str, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> OrdersUpdatedSince:
        query = gql("""
            query OrdersUpdatedSince($search: String!, $after: String) {
              orders(first: 100, query: $search, sortKey: UPDATED_AT, after: $after) {
                nodes {
                  id
                  name
                  createdAt
                  updatedAt
                  cancelledAt
                  tags
                  customAttributes {
                    key
                    value
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"search": search, "after": after}
        response = await self.execute(
            query=query,
            operation_name="OrdersUpdatedSince",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return OrdersUpdatedSince.model_validate(data)

    async def refund_lines_after(
        self, id: str, after: str, **kwargs: Any
    ) -> RefundLinesAfter:
        query = gql("""
            query RefundLinesAfter($id: ID!, $after: String!) {
              refund(id: $id) {
                refundLineItems(first: 100, after: $after) {
                  nodes {
                    quantity
                    lineItem {
                      id
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="RefundLinesAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return RefundLinesAfter.model_validate(data)

    async def refund_transactions_after(
        self, id: str, after: str, **kwargs: Any
    ) -> RefundTransactionsAfter:
        query = gql("""
            query RefundTransactionsAfter($id: ID!, $after: String!) {
              refund(id: $id) {
                transactions(first: 50, after: $after) {
                  nodes {
                    kind
                    status
                    amountSet {
                      ...Bag
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }

            fragment Bag on MoneyBag {
              presentmentMoney {
                amount
                currencyCode
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        response = await self.execute(
            query=query,
            operation_name="RefundTransactionsAfter",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return RefundTransactionsAfter.model_validate(data)

    async def release(self, id: str, hold_ids: list[str], **kwargs: Any) -> Release:
        query = gql("""
            mutation Release($id: ID!, $holdIds: [ID!]!) {
              fulfillmentOrderReleaseHold(id: $id, holdIds: $holdIds) {
                fulfillmentOrder {
                  id
                  status
                  fulfillmentHolds {
                    id
                  }
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "holdIds": hold_ids}
        response = await self.execute(
            query=query, operation_name="Release", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Release.model_validate(data)

    async def service_request(self, id: str, **kwargs: Any) -> ServiceRequest:
        query = gql("""
            query ServiceRequest($id: ID!) {
              fulfillmentOrder(id: $id) {
                ...RequestState
              }
            }

            fragment MerchantRequests on FulfillmentOrder {
              merchantRequests(first: 3, reverse: true) {
                nodes {
                  kind
                  sentAt
                }
              }
            }

            fragment RequestState on FulfillmentOrder {
              id
              requestStatus
              ...MerchantRequests
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="ServiceRequest", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ServiceRequest.model_validate(data)

    async def set_instance_mark(
        self, metafields: list[MetafieldsSetInput], **kwargs: Any
    ) -> SetInstanceMark:
        query = gql("""
            mutation SetInstanceMark($metafields: [MetafieldsSetInput!]!) {
              metafieldsSet(metafields: $metafields) {
                metafields {
                  value
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {"metafields": metafields}
        response = await self.execute(
            query=query, operation_name="SetInstanceMark", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return SetInstanceMark.model_validate(data)

    async def show_status(
        self,
        id: str,
        stale: list[str],
        tidy: bool,
        tags: list[str],
        metafields: list[MetafieldsSetInput],
        **kwargs: Any,
    ) -> ShowStatus:
        query = gql("""
            mutation ShowStatus($id: ID!, $stale: [String!]!, $tidy: Boolean!, $tags: [String!]!, $metafields: [MetafieldsSetInput!]!) {
              tagsRemove(id: $id, tags: $stale) @include(if: $tidy) {
                userErrors {
                  field
                  message
                }
              }
              tagsAdd(id: $id, tags: $tags) {
                userErrors {
                  field
                  message
                }
              }
              metafieldsSet(metafields: $metafields) {
                metafields {
                  key
                  value
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "stale": stale,
            "tidy": tidy,
            "tags": tags,
            "metafields": metafields,
        }
        response = await self.execute(
            query=query, operation_name="ShowStatus", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ShowStatus.model_validate(data)

    async def startup_check(
        self, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> StartupCheck:
        query = gql("""
            query StartupCheck($after: String) {
              currentAppInstallation {
                id
                accessScopes {
                  handle
                }
              }
              shop {
                id
                name
                myshopifyDomain
                currencyCode
                taxesIncluded
                ianaTimezone
                plan {
                  publicDisplayName
                  partnerDevelopment
                }
              }
              publicApiVersions {
                handle
                supported
              }
              locations(first: 50, after: $after) {
                nodes {
                  id
                  name
                  isActive
                  isFulfillmentService
                  fulfillsOnlineOrders
                  shipsInventory
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"after": after}
        response = await self.execute(
            query=query, operation_name="StartupCheck", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StartupCheck.model_validate(data)

    async def stock_changed_at(
        self,
        location: str,
        search: str,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> StockChangedAt:
        query = gql("""
            query StockChangedAt($location: ID!, $search: String!, $after: String) {
              location(id: $location) {
                name
                isActive
                fulfillsOnlineOrders
                inventoryLevels(
                  first: 250
                  query: $search
                  after: $after
                  includeInactive: true
                ) {
                  nodes {
                    item {
                      id
                    }
                  }
                  pageInfo {
                    hasNextPage
                    endCursor
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "location": location,
            "search": search,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="StockChangedAt", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StockChangedAt.model_validate(data)

    async def stock_listed(
        self, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> StockListed:
        query = gql("""
            query StockListed($after: String) {
              productVariants(first: 250, after: $after) {
                nodes {
                  id
                  sku
                  inventoryItem {
                    ...StockFields
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment StockFields on InventoryItem {
              id
              sku
              tracked
              inventoryLevels(first: 20) {
                nodes {
                  isActive
                  location {
                    id
                    isActive
                    fulfillsOnlineOrders
                  }
                  quantities(names: ["available"]) {
                    name
                    quantity
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"after": after}
        response = await self.execute(
            query=query, operation_name="StockListed", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StockListed.model_validate(data)

    async def stock_of_items(self, ids: list[str], **kwargs: Any) -> StockOfItems:
        query = gql("""
            query StockOfItems($ids: [ID!]!) {
              nodes(ids: $ids) {
                __typename
                ... on InventoryItem {
                  ...StockFields
                }
              }
            }

            fragment StockFields on InventoryItem {
              id
              sku
              tracked
              inventoryLevels(first: 20) {
                nodes {
                  isActive
                  location {
                    id
                    isActive
                    fulfillsOnlineOrders
                  }
                  quantities(names: ["available"]) {
                    name
                    quantity
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"ids": ids}
        response = await self.execute(
            query=query, operation_name="StockOfItems", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return StockOfItems.model_validate(data)

    async def stranger(
        self, id: str, namespace: str, lineage: str, **kwargs: Any
    ) -> Stranger:
        query = gql("""
            query Stranger($id: ID!, $namespace: String!, $lineage: String!) {
              order(id: $id) {
                id
                name
                cancelledAt
                tags
                email
                note
                sourceIdentifier
                lineage: metafield(namespace: $namespace, key: $lineage) {
                  value
                }
                customAttributes {
                  key
                  value
                }
                shippingAddress {
                  ...PostalAddress
                }
              }
            }

            fragment PostalAddress on MailingAddress {
              firstName
              lastName
              company
              address1
              address2
              city
              province
              zip
              countryCodeV2
            }
            """)
        variables: dict[str, object] = {
            "id": id,
            "namespace": namespace,
            "lineage": lineage,
        }
        response = await self.execute(
            query=query, operation_name="Stranger", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Stranger.model_validate(data)

    async def subscribe(
        self, topic: str, subscription: WebhookSubscriptionInput, **kwargs: Any
    ) -> Subscribe:
        query = gql("""
            mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
              webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
                webhookSubscription {
                  id
                  topic
                  uri
                  apiVersion {
                    handle
                  }
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"topic": topic, "subscription": subscription}
        response = await self.execute(
            query=query, operation_name="Subscribe", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Subscribe.model_validate(data)

    async def subscriptions(
        self, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> Subscriptions:
        query = gql("""
            query Subscriptions($after: String) {
              webhookSubscriptions(first: 100, after: $after) {
                nodes {
                  id
                  topic
                  uri
                  format
                  includeFields
                  apiVersion {
                    handle
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"after": after}
        response = await self.execute(
            query=query, operation_name="Subscriptions", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Subscriptions.model_validate(data)

    async def update_draft(
        self, id: str, input: DraftOrderInput, **kwargs: Any
    ) -> UpdateDraft:
        query = gql("""
            mutation UpdateDraft($id: ID!, $input: DraftOrderInput!) {
              draftOrderUpdate(id: $id, input: $input) {
                draftOrder {
                  id
                  status
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"id": id, "input": input}
        response = await self.execute(
            query=query, operation_name="UpdateDraft", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpdateDraft.model_validate(data)

    async def update_order_address(
        self, input: OrderInput, **kwargs: Any
    ) -> UpdateOrderAddress:
        query = gql("""
            mutation UpdateOrderAddress($input: OrderInput!) {
              orderUpdate(input: $input) {
                order {
                  id
                  name
                }
                userErrors {
                  field
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query,
            operation_name="UpdateOrderAddress",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return UpdateOrderAddress.model_validate(data)

    async def variant_prices(self, ids: list[str], **kwargs: Any) -> VariantPrices:
        query = gql("""
            query VariantPrices($ids: [ID!]!) {
              shop {
                currencyCode
                taxesIncluded
              }
              nodes(ids: $ids) {
                __typename
                ... on ProductVariant {
                  id
                  price
                }
              }
            }
            """)
        variables: dict[str, object] = {"ids": ids}
        response = await self.execute(
            query=query, operation_name="VariantPrices", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return VariantPrices.model_validate(data)

    async def variants_by_sku(
        self, search: str, after: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> VariantsBySku:
        query = gql("""
            query VariantsBySku($search: String!, $after: String) {
              shop {
                currencyCode
                taxesIncluded
              }
              productVariants(first: 20, query: $search, after: $after) {
                nodes {
                  id
                  sku
                  price
                  product {
                    status
                  }
                  inventoryItem {
                    id
                    tracked
                    inventoryLevels(first: 10) {
                      nodes {
                        isActive
                        location {
                          id
                          isActive
                          fulfillsOnlineOrders
                        }
                        quantities(names: ["available"]) {
                          name
                          quantity
                        }
                      }
                      pageInfo {
                        hasNextPage
                        endCursor
                      }
                    }
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"search": search, "after": after}
        response = await self.execute(
            query=query, operation_name="VariantsBySku", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return VariantsBySku.model_validate(data)
