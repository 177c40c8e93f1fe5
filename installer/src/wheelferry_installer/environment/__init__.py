"""What is installed, and how it changes in one step."""
