"""When the parcel may move: the label interlock."""
