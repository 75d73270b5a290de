"""The SQL of the store, built once for each module from its policy's tables and columns."""
