"""The database: an instance of Cloud SQL, a cluster of AlloyDB, or one that is there."""
