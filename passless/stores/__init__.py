"""The Store port over SQL."""
