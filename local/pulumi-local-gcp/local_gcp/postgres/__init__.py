"""Cloud SQL and AlloyDB: their resource types and what Google checks of them, on a real PostgreSQL."""
