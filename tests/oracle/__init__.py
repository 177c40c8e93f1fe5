"""Compares what `bundle create` chooses with what uv would install, on locks that uv makes."""
