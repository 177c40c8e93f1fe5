"""Step 2: resolves what is not locked, with uv."""
