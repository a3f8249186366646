"""Blocks that two or more families of networks share."""
