"""When the marketplace hears of a dispatch."""
