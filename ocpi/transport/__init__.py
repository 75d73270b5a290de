"""How OCPI travels over HTTP: the headers, the envelope and the pages. Specification: transport."""
