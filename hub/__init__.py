"""The hub: where messages are routed, stored, fed and delivered."""
