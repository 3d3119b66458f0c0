"""The machine: child processes and ports."""
