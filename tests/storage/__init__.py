"""Tests of storage: the embedded server, transactions, encryption, migrations."""
