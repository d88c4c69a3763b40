"""Directories that speak LDAP: the connection, what it carries, and OpenLDAP."""
