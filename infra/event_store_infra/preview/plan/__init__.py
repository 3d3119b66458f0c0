"""The engine's plan of an update, parsed into frozen values, and what the plan was compared with."""
