"""The client's mind. Pure; time is an argument."""
