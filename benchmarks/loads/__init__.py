"""Programs that the works start: each makes one load and prints the seconds that it took."""
