"""One component per logical entity, each with its own IAM inside."""
