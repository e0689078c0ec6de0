"""Stand-ins for what passless asks of the outside; each passes the contract of the real thing."""
