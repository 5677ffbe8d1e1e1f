"""One PostgreSQL: the embedded server, transactions, column types, encryption and migrations."""
