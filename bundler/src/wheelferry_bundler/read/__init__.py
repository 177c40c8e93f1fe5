"""Step 1: reads what a bundle is made from."""
