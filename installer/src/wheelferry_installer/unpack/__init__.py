"""Instead of installing: wheels for pip, uv or an index."""
