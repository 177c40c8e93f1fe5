"""What tests are made of: tiny wheels, bundles, locks."""
