"""Pictures for people to keep: comparisons, sequences through the scales, animations."""
