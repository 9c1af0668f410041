"""What the keys do that have more to do than to move: one small function each, called with the main screen."""
