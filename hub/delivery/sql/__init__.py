"""The SQL of delivery: each module's statements by its name, the tables, and who may have what."""
