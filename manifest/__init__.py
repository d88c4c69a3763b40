"""What Slack and Teams are told about ATOM."""
