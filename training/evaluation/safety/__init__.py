"""The safety report: how the first route does on labelled texts, and what is left of it when they are disguised."""
