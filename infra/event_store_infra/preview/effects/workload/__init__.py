"""What changes of what runs on Cloud Run do."""
