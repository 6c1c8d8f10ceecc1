"""The parts of the chat screen. They hold no conversation: they show what handlers give them."""
