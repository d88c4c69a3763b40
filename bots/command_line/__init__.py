"""What `atom …` does, a module for each family of commands."""
