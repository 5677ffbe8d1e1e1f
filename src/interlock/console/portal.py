"""The marketplace's own portal: where a person acts on an order that Interlock may not act on.

No document of Mirakl says under which address a portal shows one order, so nothing is guessed: the template is a setting of
the connection, and without one links lead to the portal's start.
"""

from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote, urlsplit

ORDER_ID = "order_id"
LONGEST = 300


class TemplateRefused(ValueError):
    """An address cannot be the template of an order's page in the portal; nothing was changed."""


@dataclass(frozen=True, slots=True)
class PortalPage:
    """Where a link leads: to the page of one order, or to the portal's start. `address` is empty where neither is known."""

    address: str
    of_the_order: bool = False


def checked_template(given: str) -> str:
    """The template as it is kept. Raises TemplateRefused, saying what is wrong with it."""
    template = given.strip()
    try:
        places = [
            name for _, name, form, made in Formatter().parse(template) if name is not None or form or made
        ]
        parts = urlsplit(template)
    except ValueError:
        places, parts = [], urlsplit("")
    if not template.isprintable() or len(template) > LONGEST or any(mark in template for mark in " \"'<>\\"):
        raise TemplateRefused(
            f"it has to be an address of at most {LONGEST} characters without blanks or quotes"
        )
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise TemplateRefused("it has to begin with https:// and a host, without a user")
    if places != [ORDER_ID] or template.count("{order_id}") != 1:
        raise TemplateRefused(
            "it has to have {order_id} once, and no other place in braces: there stands the marketplace's number"
        )
    if "{" in parts.netloc:
        raise TemplateRefused("the host is the same for every order, so {order_id} stands behind it")
    return template


def portal_page(origin: str, template: str, mirakl_order_id: str) -> PortalPage:
    """The page of an order in the portal, or the portal's start where there is no template or no order. An origin that no
    browser may follow, as in a rehearsal, leads nowhere."""
    if template and mirakl_order_id:
        return PortalPage(template.replace("{order_id}", quote(mirakl_order_id, safe="")), True)
    return PortalPage(origin if origin.startswith("https://") else "")
