"""A local Slack and a local Teams to chat in, written from the vendors' documentation."""
