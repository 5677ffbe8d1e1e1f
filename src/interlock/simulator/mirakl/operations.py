"""The seller operations of Mirakl: code, method and path of each, and which of them are modelled."""

MODELLED = (
    "A01",
    "OF21",
    "OF52",
    "OF53",
    "OF54",
    "OR04",
    "OR11",
    "OR21",
    "OR23",
    "OR24",
    "OR28",
    "OR29",
    "OR30",
    "OR43",
    "PC01",
    "RE01",
    "SH12",
    "SH21",
    "ST01",
    "ST06",
    "ST11",
    "ST12",
    "ST23",
    "ST24",
    "STO01",
    "STO02",
    "STO03",
    "V01",
)

_OPERATIONS = """
A01 GET /api/account
A02 PUT /api/account
A21 GET /api/account/statistics
AF01 GET /api/additional_fields
CH11 GET /api/channels
CUR01 GET /api/currencies
DO01 GET /api/documents
DR11 GET /api/document-request/requests
DR12 GET /api/document-request/{document_request_id}/lines
DR73 GET /api/document-request/documents/download
DR74 POST /api/document-request/documents/upload
H11 GET /api/hierarchies
IV01 GET /api/invoices
IV02 GET /api/invoices/{accounting_document_id}
L01 GET /api/locales
M01 GET /api/messages
M10 GET /api/inbox/threads/{thread_id}
M11 GET /api/inbox/threads
M12 POST /api/inbox/threads/{thread_id}/message
M13 GET /api/inbox/threads/{attachment_id}/download
M14 POST /api/inbox/threads
OF01 POST /api/offers/imports
OF02 GET /api/offers/imports/{import}
OF03 GET /api/offers/imports/{import}/error_report
OF04 GET /api/offers/imports
OF21 GET /api/offers
OF22 GET /api/offers/{offer}
OF24 POST /api/offers
OF26 GET /api/offers/{offer}/quantity
OF51 GET /api/offers/export
OF52 POST /api/offers/export/async
OF53 GET /api/offers/export/async/status/{tracking_id}
OF54 GET /dynamic-url/The+URL+is+retrieved+from+OF53+output/OF54
OF54 GET /api/offers/export/async/file/{tracking_id}
OF61 GET /api/offers/states
OR04 PUT /api/orders
OR07 PUT /api/orders/shipping_from
OR11 GET /api/orders
OR12 GET /api/orders/{order_id}
OR13 POST /api/orders/async-export
OR14 GET /api/orders/async-export/status/{tracking_id}
OR15 GET /dynamic-url/The+URL+is+retrieved+from+OR14+output/OR15
OR21 PUT /api/orders/{order_id}/accept
OR23 PUT /api/orders/{order_id}/tracking
OR24 PUT /api/orders/{order_id}/ship
OR26 PUT /api/orders/{order_id}/refund
OR28 PUT /api/orders/refund
OR29 PUT /api/orders/{order_id}/cancel
OR30 PUT /api/orders/cancel
OR31 PUT /api/orders/{order_id}/additional_fields
OR32 PUT /api/orders/adjust
OR41 GET /api/orders/{order_id}/messages
OR42 POST /api/orders/{order_id}/messages
OR43 POST /api/orders/{order_id}/threads
OR51 GET /api/orders/{order_id}/evaluation
OR64 PUT /api/orders/{order_id}/lines/{line}/resolve_incident
OR72 GET /api/orders/documents
OR73 GET /api/orders/documents/download
OR74 POST /api/orders/{order_id}/documents
OR75 GET /api/orders/taxes
OR76 DELETE /api/orders/documents/{document_id}
P11 GET /api/products/offers
P31 GET /api/products
P41 POST /api/products/imports
P42 GET /api/products/imports/{import}
P44 GET /api/products/imports/{import}/error_report
P45 GET /api/products/imports/{import}/new_product_report
P46 GET /api/products/imports/{import}/transformed_file
P47 GET /api/products/imports/{import}/transformation_error_report
P51 GET /api/products/imports
PC01 GET /api/platform/configuration
PL11 GET /api/picklists
PM11 GET /api/products/attributes
PR01 GET /api/promotions
PR03 POST /api/promotions
PR04 PUT /api/promotions/{promotion_internal_id}
PRI01 POST /api/offers/pricing/imports
PRI02 GET /api/offers/pricing/imports
PRI03 GET /api/offers/pricing/imports/{import_id}/error_report
RE01 GET /api/reasons
RE02 GET /api/reasons/{reason_type}
RE11 GET /api/reasons/incident_open
RE12 GET /api/reasons/incident_close
RE14 GET /api/reasons/messaging
RO02 GET /api/users/shops/roles
RT01 POST /api/returns
RT04 PUT /api/returns
RT11 GET /api/returns
RT12 GET /api/returns/items_to_return
RT21 PUT /api/returns/accept
RT25 PUT /api/returns/receive
RT26 PUT /api/returns/compliance
RT27 PUT /api/returns/close
RT29 PUT /api/returns/cancel
S30 GET /api/shops/documents
S31 GET /api/shops/documents/download
S32 POST /api/shops/documents
S33 DELETE /api/shops/documents/{document_id}
SBC11 GET /api/seller-billing-cycles
SH11 GET /api/shipping/zones
SH12 GET /api/shipping/types
SH21 GET /api/shipping/carriers
SH31 GET /api/shipping/logistic_classes
SH42 GET /api/shipping/configuration/shop
SH52 GET /api/shipping/charges/shop
ST01 POST /api/shipments
ST06 PUT /api/shipments/delete
ST07 PUT /api/shipments
ST11 GET /api/shipments
ST12 GET /api/shipments/items_to_ship
ST23 POST /api/shipments/tracking
ST24 PUT /api/shipments/ship
ST26 PUT /api/shipments/ready_for_pick_up
ST31 PUT /api/shipments/additional_information
STO01 POST /api/offers/stock/imports
STO02 GET /api/offers/stock/imports/{import_id}/status
STO03 GET /api/offers/stock/imports/{import_id}/error_report
TL02 GET /api/sellerpayment/transactions_logs
TL03 POST /api/sellerpayment/transactions_logs/async
TL04 GET /api/sellerpayment/transactions_logs/async/status/{tracking_id}
TL05 GET /dynamic-url/The+URL+is+retrieved+from+TL04+output/TL05
V01 GET /api/version
VL11 GET /api/values_lists
"""

Segments = tuple[str, ...]


def _tables() -> tuple[dict[tuple[str, str], str], dict[tuple[str, int], list[tuple[Segments, str]]]]:
    exact: dict[tuple[str, str], str] = {}
    templates: dict[tuple[str, int], list[tuple[Segments, str]]] = {}
    for row in _OPERATIONS.split("\n"):
        if not row:
            continue
        code, method, path = row.split(" ")
        segments = tuple(path.split("/"))
        if "{" in path:
            templates.setdefault((method, len(segments)), []).append((segments, code))
        else:
            exact[method, path] = code
    return exact, templates


_EXACT, _TEMPLATES = _tables()
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def operation_at(method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
    """The operation's code and the values in its path, or None where Mirakl has no seller operation."""
    code = _EXACT.get((method, path))
    if code is not None:
        return code, ()
    segments = path.split("/")
    for template, code in _TEMPLATES.get((method, len(segments)), ()):
        values = []
        for wanted, found in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                if not found:
                    break
                values.append(found)
            elif wanted != found:
                break
        else:
            return code, tuple(values)
    return None


def other_methods(path: str) -> list[str]:
    """The methods that do exist at a path."""
    return [method for method in _METHODS if operation_at(method, path) is not None]


def operation_of(method: str, path: str, body: bytes) -> str | None:
    """The operation a request names; None for control endpoints, `?` for an unknown path under /api."""
    del body
    if not path.startswith("/api"):
        return None
    found = operation_at(method, path)
    return found[0] if found is not None else "?"
