"""The only asyncio of the client: threads, socket, child process."""
