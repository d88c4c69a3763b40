"""What may leave: findings in what people say, labels, and what is done about them."""
