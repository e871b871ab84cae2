"""The papers' claims, each with a verdict that follows from measured scores."""
