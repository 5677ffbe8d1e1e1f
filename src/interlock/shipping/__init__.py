"""What the marketplace hears of a parcel: the carrier, the tracking, the dispatch."""
