"""What keeps people safe: ways in, the rules, what-if, and the next steps towards a goal."""
