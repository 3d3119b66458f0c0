"""What changes of the bus do: topics, subscriptions, schemas."""
