"""What runs on Cloud Run: the service, the relay and the migrations."""
