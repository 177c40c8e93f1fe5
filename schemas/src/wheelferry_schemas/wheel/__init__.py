"""Wheels: their names and rules."""
