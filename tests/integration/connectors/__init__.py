"""Connectors against services that answer badly."""
