"""Metrics of logs, alert policies, and the languages of their filters and queries."""
