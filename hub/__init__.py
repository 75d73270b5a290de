"""What happens to a message: routed, stored, fed and delivered."""
