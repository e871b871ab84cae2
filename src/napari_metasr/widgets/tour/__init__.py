"""The tour: two minutes from one control to the next."""
