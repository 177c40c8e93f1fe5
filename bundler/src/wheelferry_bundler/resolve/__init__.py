"""Step 2: has uv resolve what is not locked."""
