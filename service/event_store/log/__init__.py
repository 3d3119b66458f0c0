"""The log in PostgreSQL: appended by one writer, read in pages, followed live."""
