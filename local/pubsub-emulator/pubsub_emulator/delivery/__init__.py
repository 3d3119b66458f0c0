"""Delivery to those who do not pull: push endpoints, BigQuery, Cloud Storage."""
