"""The screen: it draws rows and writes wishes. It never calls the API and never sees the engine."""
