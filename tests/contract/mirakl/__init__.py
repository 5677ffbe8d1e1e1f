"""Exchanges with Mirakl, judged by its own OpenAPI document."""
