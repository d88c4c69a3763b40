"""What Slack's organisation says about itself: its audit log and its legal holds."""
