"""The report: one self-contained HTML page, drawn from plain numbers, arrays and strings."""
