"""Keys, signatures and who may sign, in OpenSSH's formats."""
