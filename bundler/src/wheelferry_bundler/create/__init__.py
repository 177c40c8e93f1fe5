"""Joins the steps: plan a bundle, then create it."""
