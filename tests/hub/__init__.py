"""The hub through real HTTP, and its parts by themselves."""
