"""Delivery without a pull: push endpoints, BigQuery, Cloud Storage."""
