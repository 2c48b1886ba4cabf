"""What things are: frozen values and pure functions. Imports the standard library only."""
