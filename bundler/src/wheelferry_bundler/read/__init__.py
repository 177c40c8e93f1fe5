"""Step 1: reads the input of `bundle create`."""
