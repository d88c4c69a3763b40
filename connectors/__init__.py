"""The business systems whose records ATOM shows."""
