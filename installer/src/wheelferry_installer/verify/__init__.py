"""Step 1: opens a bundle and verifies it."""
