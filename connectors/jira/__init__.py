"""Jira Cloud: issues, their workflow, comments and search, by its REST API v3."""
