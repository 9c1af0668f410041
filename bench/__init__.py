"""How good the program is at what it does, measured; not part of the package."""
