"""What other systems exported, taken into the record without trusting it."""
