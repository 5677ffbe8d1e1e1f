"""The whole order ends, on either side, and the other side follows or a person decides."""
