"""Text generation. `base` has the contract, `llama` the native runtime, `process` isolates it, `supervisor` keeps it alive."""
