"""Where a link to the marketplace's own portal leads, and which templates are taken for it."""

import pytest

from interlock.console.portal import PortalPage, TemplateRefused, checked_template, portal_page

ORIGIN = "https://atlas.example"
TEMPLATE = "https://atlas.example/sellers/orders/{order_id}?tab=lines"


@pytest.mark.parametrize(
    ("origin", "template", "order", "leads_to"),
    [
        (ORIGIN, "", "M-1", PortalPage(ORIGIN)),
        (ORIGIN, TEMPLATE, "", PortalPage(ORIGIN)),
        (
            ORIGIN,
            TEMPLATE,
            "M-1",
            PortalPage("https://atlas.example/sellers/orders/M-1?tab=lines", True),
        ),
        (
            ORIGIN,
            TEMPLATE,
            "M/1?x=1#y<",
            PortalPage("https://atlas.example/sellers/orders/M%2F1%3Fx%3D1%23y%3C?tab=lines", True),
        ),
        ("http://127.0.0.1:9/", "", "M-1", PortalPage("")),
        ("javascript:alert(1)", "", "M-1", PortalPage("")),
    ],
)
def test_a_link_leads_to_the_order_where_its_page_is_known(
    origin: str, template: str, order: str, leads_to: PortalPage
) -> None:
    assert portal_page(origin, template, order) == leads_to


def test_a_template_is_kept_as_given() -> None:
    assert checked_template(f" {TEMPLATE} ") == TEMPLATE


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "https://"),
        ("atlas.example/{order_id}", "https://"),
        ("http://atlas.example/{order_id}", "https://"),
        ("javascript:alert({order_id})", "https://"),
        ("https:///{order_id}", "https://"),
        ("https://ada:secret@atlas.example/{order_id}", "without a user"),
        ("https://atlas.example/orders", "{order_id} once"),
        ("https://atlas.example/{order_id}/{order_id}", "{order_id} once"),
        ("https://atlas.example/{number}", "{order_id} once"),
        ("https://atlas.example/{order_id}/{shop}", "{order_id} once"),
        ("https://atlas.example/{order_id!r}", "{order_id} once"),
        ("https://atlas.example/{order_id:9}", "{order_id} once"),
        ("https://atlas.example/{order_id", "https://"),
        ("https://{order_id}.example/", "stands behind it"),
        ("https://atlas.example/{order_id}/a b", "without blanks"),
        ('https://atlas.example/{order_id}/"onclick=', "without blanks"),
        ("https://atlas.example/{order_id}/" + "x" * 300, "at most 300"),
        ("https://[atlas/{order_id}", "https://"),
    ],
)
def test_what_is_no_template_says_what_is_wrong(given: str, says: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        checked_template(given)
    assert says in str(refused.value)
