"""Names and shapes that every part shares; imports nothing above it."""
