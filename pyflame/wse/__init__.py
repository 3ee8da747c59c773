"""An open CSL front end, wafer simulator and SDK stand-in.

This package knows nothing of jaxprs or generated code: it reads CSL text, and it
is judged by programs that others wrote. It imports NumPy and the standard library.
"""
