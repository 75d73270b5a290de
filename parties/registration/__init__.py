"""The credentials handshake, started by a platform or by the hub. Spec: 2.2.1 credentials."""
