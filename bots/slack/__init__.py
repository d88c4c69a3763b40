"""Slack: intake, translation, rendering, sending."""
