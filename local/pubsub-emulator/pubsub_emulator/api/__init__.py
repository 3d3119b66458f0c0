"""The services of Pub/Sub's API: calls in, answers and errors out."""
