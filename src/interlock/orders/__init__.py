"""The words every room shares: snapshots, view, memory, plan, actions, outcomes and cases. Imports nothing of ours."""
