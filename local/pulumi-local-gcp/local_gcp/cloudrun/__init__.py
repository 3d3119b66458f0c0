"""Cloud Run: services, worker pools and jobs, rolled out in revisions, as processes."""
