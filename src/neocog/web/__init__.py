"""The explorer: a local page that shows a person their own network, and the server behind it, which speaks JSON."""
