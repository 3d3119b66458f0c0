"""Connect to PostgreSQL: logins, the pool, errors, named statements and the schema."""
