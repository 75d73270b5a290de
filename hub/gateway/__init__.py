"""The way of a request: read, routed, passed on or kept, answered."""
