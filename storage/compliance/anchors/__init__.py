"""Where checkpoints are shown: witnesses, time-stamping authorities, channels."""
