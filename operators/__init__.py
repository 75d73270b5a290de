"""The operators of the hub: groups, log-in, and an audit of what they changed."""
