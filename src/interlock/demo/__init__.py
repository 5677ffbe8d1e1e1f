"""The demo: one shop, three marketplaces and the whole service on one day, live with a console or headless with a verdict."""

from interlock.demo.command import main

__all__ = ["main"]
