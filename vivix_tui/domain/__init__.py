"""What things are and which changes are legal. No I/O and no clock: time is passed in."""
