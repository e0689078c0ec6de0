"""The pages, asked over HTTP and by a real browser."""
