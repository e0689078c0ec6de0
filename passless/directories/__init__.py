"""Places where accounts live, behind one port."""
