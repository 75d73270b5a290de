"""The parts of the web server and the settings that are the hub's own."""
