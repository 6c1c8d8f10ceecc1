"""The tools by the words one types, in the order of menus. Loads nothing, so that a shell can complete them at once."""

TOOLS = {
    "ground": "grounding",
    "breathe": "breathing",
    "orient": "orienting",
    "muscles": "muscles",
    "place": "calm_place",
    "sleep": "sleep",
}
WORDS = {tool: word for word, tool in TOOLS.items()}
IDS = tuple(WORDS)
