"""Erasing people: their keys are destroyed, and what a hold needs is kept apart."""
