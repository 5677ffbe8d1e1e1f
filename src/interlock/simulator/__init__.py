"""Both platforms as products of their own: state machines, clocks, limits, lag, loss, and people with a will.

Written from the platform references alone; shares no code with the service, and imports none of it.
"""
