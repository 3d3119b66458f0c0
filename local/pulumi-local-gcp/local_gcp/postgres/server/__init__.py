"""The PostgreSQL that stands for every instance: one of our own, or one that runs already."""
