"""Cloud SQL and AlloyDB on a real PostgreSQL: their resource types and Google's checks of them."""
