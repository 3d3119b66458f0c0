"""The database: a Cloud SQL instance, an AlloyDB cluster, or an existing instance."""
