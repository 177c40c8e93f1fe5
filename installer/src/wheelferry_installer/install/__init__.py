"""Step 3: installs what was planned."""
