"""What looks into files before anybody sees them."""
