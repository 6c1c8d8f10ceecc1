"""The words by which a text speaks of its writer, and of other people. They know no sentence."""

SELF_WORDS = frozenset("i im ive ill id me my mine myself".split())
OTHER_WORDS = frozenset(
    "he she they hes shes him her them his their someone somebody people anyone who everybody everyone "
    "friend mate brother sister son daughter mother mum dad father husband wife partner boyfriend girlfriend bf gf "
    "cousin uncle aunt nan gran colleague neighbour patient client bloke guy girl lad kid student soldier buddy bestie "
    "roommate flatmate housemate coworker teammate classmate teacher boss grandad grandpa grandma granny stepdad "
    "stepson nephew niece fiance fiancee veteran marine lodger sergeant".split()
)
