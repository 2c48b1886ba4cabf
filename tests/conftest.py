"""What every test has: nothing yet."""
