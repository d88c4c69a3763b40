"""People, groups and units out of Active Directory, and what changes among them."""
