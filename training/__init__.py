"""Training: data, fine-tuning and evaluation. Uses tide_chat; the app never uses this."""
