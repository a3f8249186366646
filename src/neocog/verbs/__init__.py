"""The functions behind `neocog.<verb>` and the command line, one file a verb."""
