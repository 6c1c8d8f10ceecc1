"""Text generation: `base` has the contract, `llama` the runtime, `process` isolates it, `supervisor` keeps it alive."""
