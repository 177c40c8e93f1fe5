"""What tests are made of: tiny wheels, a local index, bundles, hosts that are not here."""
