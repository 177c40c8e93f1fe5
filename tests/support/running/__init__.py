"""What tests run: commands, hosts, indexes."""
