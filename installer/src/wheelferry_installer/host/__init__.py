"""The Pythons of this host, and where they keep things."""
