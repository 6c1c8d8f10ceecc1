"""The heads with which the app's inspector guesses the paper's three factors. Knows no app beyond their file."""
