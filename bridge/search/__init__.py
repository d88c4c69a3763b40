"""How people ask the record: the language, its words and its times."""
