"""Step 2: decides what an installation does; pure."""
