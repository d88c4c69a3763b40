"""ServiceNow, through pysnow behind a guarded session."""
