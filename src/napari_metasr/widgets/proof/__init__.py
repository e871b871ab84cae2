"""The dock *How far can I zoom?*."""
