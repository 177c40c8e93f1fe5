"""Step 7: signs the manifest."""
