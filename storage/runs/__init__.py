"""Runs about joiners, movers and leavers, on record."""
