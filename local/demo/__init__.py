"""The demo: a hub and simulated platforms on this machine, told in sentences and checked."""
