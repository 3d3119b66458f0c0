"""What a project needs before anything else: its APIs."""
