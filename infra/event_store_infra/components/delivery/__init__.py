"""The identities that CI previews and deploys with."""
