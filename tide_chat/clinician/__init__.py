"""For clinicians who show and examine the app: a turn from inside, receipts, scripts, comparisons. Knows no screen."""
