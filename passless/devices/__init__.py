"""Security keys plugged into this machine."""
