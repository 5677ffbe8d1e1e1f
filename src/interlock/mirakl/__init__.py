"""The adapter to a Mirakl marketplace: reads orders into snapshots and performs actions, and decides nothing."""
