"""The screen: one more reader of the stream of changes, on Textual."""
