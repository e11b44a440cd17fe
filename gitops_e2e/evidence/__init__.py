"""What a run leaves for people who ask why it failed; never a secret."""
