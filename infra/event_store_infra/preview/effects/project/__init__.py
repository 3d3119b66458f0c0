"""What changes of the project around the stack do: APIs, identities, network, alerts."""
