"""The PostgreSQL behind every instance: an embedded one, or an external one that already runs."""
