"""Observe, decide, keep, perform: the shell around every rule. No rule lives here."""
