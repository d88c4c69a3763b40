"""What runs for records: tasks, followers of the log, and how they are put together."""
