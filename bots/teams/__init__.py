"""Microsoft Teams: intake, translation, rendering, sending."""
