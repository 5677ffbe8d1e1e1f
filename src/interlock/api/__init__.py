"""The API for programs under `/v1`: JSON, described by OpenAPI, asked with a key."""
