"""The CSL front end: text to the typed code and the layout of a program."""
