"""What of a result was measured, what was inferred, and how sure that is."""
