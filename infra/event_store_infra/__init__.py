"""The Pulumi program and its components, which another team's program may import."""
