"""The version of the package, which run folders and model files name."""

__version__ = "0.1.0"
