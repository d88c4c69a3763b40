"""What is on record, written down for others in the formats that they read."""
