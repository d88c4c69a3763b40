"""A local Slack: its Web API, its events, its people."""
