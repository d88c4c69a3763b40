"""What an outsider needs to check the log: proofs, checkpoints, and who signed them."""
