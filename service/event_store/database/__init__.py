"""PostgreSQL: connections, logins, errors, named statements and the schema."""
