"""The private network: a new one, or an existing one."""
