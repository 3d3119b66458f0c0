"""The APIs of a project."""
