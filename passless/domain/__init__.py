"""What things are and what is allowed: pure values and functions; time and entropy are arguments."""
