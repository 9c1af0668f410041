"""The engine: it turns wishes into calls and answers into rows, in a thread of its own. It never sees the screen."""
