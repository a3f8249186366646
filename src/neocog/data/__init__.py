"""Readers, checks, transforms and the loader."""
