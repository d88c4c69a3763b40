"""The sandbox's Microsoft Teams: connector, login, Graph and people."""
