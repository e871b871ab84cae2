"""Write what an evaluation found: tables, plots, picture sheets."""
