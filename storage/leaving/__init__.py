"""What may leave, as it is kept: findings, rules, and what somebody let go."""
