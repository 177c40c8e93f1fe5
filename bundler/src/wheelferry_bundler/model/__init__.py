"""The values that pass between the steps; pure."""
