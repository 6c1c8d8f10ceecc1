"""The output guard's encoder: sentences and training behind `tide-train guard`."""
