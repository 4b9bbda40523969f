"""What a file of config/theory leads to: figures, and the claims with their numbers."""
