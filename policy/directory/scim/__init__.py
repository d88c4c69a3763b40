"""SCIM 2.0 (RFC 7643 and 7644) as ATOM serves it: what requests mean, without HTTP."""
