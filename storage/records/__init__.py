"""What is kept about records: cards, buttons, subscriptions, people's accounts."""
