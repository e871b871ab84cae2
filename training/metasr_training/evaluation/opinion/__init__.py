"""Evaluate opinions: tables of mean opinion scores."""
