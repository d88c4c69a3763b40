"""Who may do what, written in Cedar: ATOM's own policies and those of each company."""
