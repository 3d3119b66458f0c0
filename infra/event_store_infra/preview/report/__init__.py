"""What people read of a verdict: the summary in Markdown, and its place on GitHub."""
