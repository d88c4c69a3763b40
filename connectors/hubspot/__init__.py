"""HubSpot: contacts, companies, deals and tickets, by its CRM API."""
