"""Entra ID: people and groups by Microsoft Graph's delta queries."""
