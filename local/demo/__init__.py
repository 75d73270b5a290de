"""The demo: a hub and simulated platforms on this machine, in sentences, and checked."""
