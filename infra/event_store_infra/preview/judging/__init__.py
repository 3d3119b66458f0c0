"""The verdict on a plan: what would be lost, what the stack's file acknowledges, what stands in the way."""
