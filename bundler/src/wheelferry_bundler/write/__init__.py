"""Step 6: writes the archive."""
