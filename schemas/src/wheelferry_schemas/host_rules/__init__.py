"""What hosts and their file systems allow."""
