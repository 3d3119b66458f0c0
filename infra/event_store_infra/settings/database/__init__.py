"""The settings of the database: Cloud SQL's and AlloyDB's, with their sizes, replicas and quiet periods."""
