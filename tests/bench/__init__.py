"""The benchmark: what it says of what it measured."""
