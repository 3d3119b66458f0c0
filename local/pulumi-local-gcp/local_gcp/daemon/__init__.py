"""The background process that is the local Google Cloud, put together, started, found and stopped."""
