"""A session at one host that outlives a poll."""
