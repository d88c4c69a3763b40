"""A local HubSpot: one portal, as its CRM API v3 describes itself."""
