"""What each change of each property does, table by table."""
