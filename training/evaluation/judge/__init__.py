"""`tide-eval judge`: a language model rates replies, or compares them in pairs, with checks of its own reliability."""
