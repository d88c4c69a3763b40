"""What the SCIM server keeps: users, groups, who is in them, and its tokens."""
