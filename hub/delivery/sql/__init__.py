"""The SQL of delivery: a module for each that runs it, the tables and who has access to what."""
