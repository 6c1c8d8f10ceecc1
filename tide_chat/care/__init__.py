"""Care tools that need no model: things to do in a hard moment, a check-in, a safety plan, a summary for a clinician.

Headless: values and pure functions. Knows no screen, no model, no help line and no database.
"""
