"""How results look: for people, as JSON, as QR codes."""
