"""The console: what people see of orders, cases, maps and health, rendered on the server."""
