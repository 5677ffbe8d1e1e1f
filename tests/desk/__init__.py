"""The edit desk: requests, rules, preview."""
