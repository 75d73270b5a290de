"""What operators do at the terminal about the hub's messages."""
