"""The parties: who is connected to the hub, and whether they may speak."""
