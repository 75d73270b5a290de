"""What a CDR should cost, rule by rule."""
