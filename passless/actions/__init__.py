"""What a person can do: load, apply, check, save, record."""
