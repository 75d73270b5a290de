"""Who operates the hub: roles, log-in, and an audit of what they changed."""
