"""The Cloud Run workloads: the service, the relay and the migrations."""
