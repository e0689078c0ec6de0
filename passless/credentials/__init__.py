"""Making and checking proofs with vetted libraries; computes, no input or output."""
