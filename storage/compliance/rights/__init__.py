"""Who may act on the record, and which acts take a second person."""
