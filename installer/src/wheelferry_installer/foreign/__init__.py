"""Scripts that another interpreter runs; never imported."""
