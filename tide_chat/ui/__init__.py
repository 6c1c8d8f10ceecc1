"""The Textual app. The only place that imports textual; it knows the pipeline, never a model or a native library."""
