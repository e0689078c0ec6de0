"""What the strangers' judgement of the software key leaves out."""
