"""Who may do what: Google's roles, policies, and the permission that each call asks for."""
