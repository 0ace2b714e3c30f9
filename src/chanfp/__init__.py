"""Find the subscribers who left and came back under a new number, and say how sure that is."""
