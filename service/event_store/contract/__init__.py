"""What a request may say, checked once at the edge, and how errors travel as statuses."""
