"""
A stand-in of Salesforce, REST API v62, from the vendor's documentation.

A small company's org: who sees which fields and rows follows from profiles in `seed`.
"""

from connectors.sandbox.salesforce.org import Salesforce

__all__ = ["Salesforce"]
