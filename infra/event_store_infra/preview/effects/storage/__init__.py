"""What changes of what keeps objects, rows, images, secrets and keys do."""
