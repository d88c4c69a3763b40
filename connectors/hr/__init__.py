"""HR: employees on their way in, through and out, out of BambooHR or Workday."""
