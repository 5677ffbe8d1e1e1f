"""A database that may not be the current one: it reads, watches and writes nothing until a person says so."""
