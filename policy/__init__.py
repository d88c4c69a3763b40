"""Who may do what, decided from the company directory."""
