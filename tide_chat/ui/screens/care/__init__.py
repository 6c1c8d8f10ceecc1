"""The screens of the care tools. They show what `tide_chat.care` holds and decide nothing about it."""
