"""What a GGUF file holds, in the terms of an HF folder: config, tensor names and tokenizer. Writes nothing."""
