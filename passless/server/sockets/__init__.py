"""Where programs on the server's own machine ask: one address for each relying party that has one (`serve --socket`).

A kind's module has `open_at(site, log, party, address) -> Opened`, which begins to answer on the event loop that runs.
"""
