"""One module for each kind of fault; each gives a function `check(rows, say) -> Checked`."""
