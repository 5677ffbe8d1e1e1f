"""A simulated Mirakl marketplace as one of its sellers sees it."""

from interlock.simulator.mirakl.generate import CATALOGUE, CatalogueItem
from interlock.simulator.mirakl.offers import OfferBook, OfferRefused, SimOffer
from interlock.simulator.mirakl.orders import SimLine, SimOrder
from interlock.simulator.mirakl.profile import PROFILES, MarketplaceProfile
from interlock.simulator.mirakl.switches import SWITCHES, mirakl_switches
from interlock.simulator.mirakl.world import ActionRefused, ApiKey, MiraklWorld

__all__ = [
    "CATALOGUE",
    "PROFILES",
    "SWITCHES",
    "ActionRefused",
    "ApiKey",
    "CatalogueItem",
    "MarketplaceProfile",
    "MiraklWorld",
    "OfferBook",
    "OfferRefused",
    "SimLine",
    "SimOffer",
    "SimOrder",
    "mirakl_switches",
]
