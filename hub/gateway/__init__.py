"""The path of a request through the hub: read, routed, forwarded or kept, answered."""
