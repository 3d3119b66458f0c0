"""Topics, subscriptions, schemas and their grants, made on a running Pub/Sub."""
