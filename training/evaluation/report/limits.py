"""What no number of a report says. The same words in every report."""

LIMITS = (
    "Our dialogues, references and labelled messages were written by AI models, not by people who live with PTSD.",
    "Nobody with clinical training has reviewed the data, the replies or this report.",
    "Automatic metrics compare words or vectors with one reference reply. They do not measure care.",
    "Intervals and tests speak about items like the ones measured, not about the people who would use the app.",
    "Examples are drawn by rule and not picked. A few of them cannot show what goes wrong rarely.",
)
SIMULATED = "SIMULATED: made-up data. No person rated anything, and nothing follows from these numbers."
