"""What the local Google Cloud does for each resource type."""
