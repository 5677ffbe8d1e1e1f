"""Accounts, permissions, sessions and the audit log."""
