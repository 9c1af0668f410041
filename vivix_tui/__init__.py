"""vivix-tui: a terminal dashboard for generations made through the Vivix API."""

__version__ = "0.1.0"
