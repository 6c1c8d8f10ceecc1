"""The app in a browser on this computer, through textual-serve. Knows no screen, no model and no word of the talk."""
