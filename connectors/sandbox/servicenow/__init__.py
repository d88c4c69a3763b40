"""A local ServiceNow, written from its documentation: it speaks HTTP alone."""
