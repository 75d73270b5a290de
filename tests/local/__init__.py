"""The runner for one machine: its servers, its processes, its demo."""
