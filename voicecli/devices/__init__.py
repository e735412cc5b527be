"""The only folder with streams; nothing is imported until it is opened."""
