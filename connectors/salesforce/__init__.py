"""Salesforce, through simple-salesforce behind a guarded session."""
