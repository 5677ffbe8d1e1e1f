"""Programs for working on Interlock; no part of the service."""
