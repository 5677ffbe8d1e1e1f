"""The demo, headless and paced."""
