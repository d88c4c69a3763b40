"""A local BambooHR and a local Workday, as far as workers are read from them."""
