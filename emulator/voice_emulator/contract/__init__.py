"""What the client under test did wrong: the rules, and what they remember."""
