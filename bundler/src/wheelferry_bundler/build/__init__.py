"""Step 5: builds packages that have no wheel."""
