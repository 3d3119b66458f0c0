"""Topics, subscriptions, schemas and their grants, created on a running Pub/Sub."""
