"""A local Jira Cloud: one site, as its REST API v3 describes itself."""
