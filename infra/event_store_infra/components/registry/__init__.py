"""Images: built and pushed here, or promoted from another environment."""
