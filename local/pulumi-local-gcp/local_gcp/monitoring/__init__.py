"""Metrics of logs, alert policies, and the languages that they are written in."""
