"""The loop and what it stands on; knows only the `Task` protocol."""
