"""Step 3: selects packages and wheels for a target; pure."""
