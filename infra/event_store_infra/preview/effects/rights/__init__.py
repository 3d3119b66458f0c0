"""What changes of rights do."""
