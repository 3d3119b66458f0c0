"""Cloud SQL and AlloyDB on real PostgreSQL."""
