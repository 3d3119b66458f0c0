"""The service: its life, its methods, and what it tells of itself."""
