"""What changes of the database do: Cloud SQL and AlloyDB."""
