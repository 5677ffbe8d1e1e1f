"""The tests of Interlock, arranged like its sources."""
