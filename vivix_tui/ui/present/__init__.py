"""Rows as words, a module for each place on the screen. Pure: no widget, no store, tested without a terminal."""
