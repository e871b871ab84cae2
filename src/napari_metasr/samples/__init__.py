"""Sample volumes: a simulated brain and a public scan."""
