"""SCIM 2.0 over HTTP: `/scim/v2`."""
