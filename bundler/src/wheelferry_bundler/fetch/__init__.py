"""Step 4: fetches files by hash."""
