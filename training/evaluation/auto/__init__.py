"""`tide-eval auto`: replies of models to held-out dialogues, and numbers for them."""
