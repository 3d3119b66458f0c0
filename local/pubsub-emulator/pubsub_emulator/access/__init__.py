"""Access control: Google's roles, IAM policies, and the permission that each call requires."""
