"""Every way into ATOM: Slack, Teams, the web, the command line."""
