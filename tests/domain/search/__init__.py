"""Searches over everything accepted changes can reach: nobody is locked out, and no thief of one factor ends up alone."""
