"""What the hub is made of and how it is put before the world: image, roles, proxies."""
