"""Business records where people talk: what they are, who may see what, and acts on them."""
