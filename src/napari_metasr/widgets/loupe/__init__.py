"""The loupe: what lies under the mouse, magnified, bicubic and super-resolved side by side."""
