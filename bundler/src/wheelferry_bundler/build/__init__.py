"""Step 5: builds what has no wheel."""
