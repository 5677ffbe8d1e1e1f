"""Signals, objectives, conditions of whole connections, and the alerts that reach people."""
