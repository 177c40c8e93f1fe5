"""All shapes of uv.lock that both sides read to the end."""

from __future__ import annotations

from oracle import shapes_single, shapes_sources, shapes_workspaces

SHAPES = (*shapes_single.SHAPES, *shapes_workspaces.SHAPES, *shapes_sources.SHAPES)
