"""What decides before the model speaks and checks what it says. Works with no model at all."""
