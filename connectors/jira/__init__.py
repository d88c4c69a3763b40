"""Jira Cloud, over its REST API v3."""
