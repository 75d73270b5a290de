"""What the documentation and the code say of each other."""
