"""The whole service against both simulated platforms in one process: for the demo, for drills, and for the proof."""
