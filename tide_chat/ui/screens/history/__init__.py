"""The screens of the history: opening it, its conversations, what can be done with one."""
