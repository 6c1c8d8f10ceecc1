"""Short things people say whose meaning hangs on what stood before: yes, no, taking back, meaning it after all.

Patterns only, for the languages the lexicon knows; `state.py` decides what they change. It reads the message as it was
written, in small letters, and knows neither the conversation nor what was asked.
"""

import re
from collections.abc import Iterator

from tide_chat.safety import gloss

_SHORT = 40  # characters; a longer message is no mere yes or no
_BARE = 70  # characters; a longer message explains itself, and the other rules read it
_REASSURING = 14  # words


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# -- answers to the question on a card -------------------------------------------------------------------------------

_OPENING = r"(?:\W|\b(?:uh|um|well|ok|okay|honestly|idk)\b)*"
_YES = re.compile(
    _OPENING + r"(?:y|ye+|ya+|ye+a+h?|ye+s+|yse|eys|yas|yeas|ye[pr]|yup|yh|yeh|aye|mhm+|mm+hm+|uh[ -]?huh|sure"
    r"|maybe|perhaps|possibly|probably|some ?times|at times|often|always|constantly|lately"
    r"|(?:now and|every now and) (?:then|again)|on and off|most (?:days|nights)|every (?:day|night)|all the time"
    r"|a (?:bit|little|lot)|kind ?a|kind of|sort ?a|sort of|i (?:think|guess|suppose) so|i guess|i (?:am|do|have|did)"
    r"|s[ií]|claro|a veces|quiz[aá]s?|tal vez|oui|ouais|parfois|souvent|peut-[eê]tre|ja+|jo|manchmal|vielleicht"
    r"|sim|[aà]s vezes|talvez|s[iì]|a volte|forse|iya+|ya|kadang|mungkin|ha+n|haa+|kabhi kabhi|shayad)(?!\w|'|’)"
)
_NO = re.compile(
    _OPENING + r"(?:n|no+|nop+e?|na+h?|naw|not (?:really|sure|safe|at all|quite|yet|anymore|any more)|never"
    r"|(?:i ?a?m|i['’]m) not|(?:i )?(?:don['’]?t|do not) (?:know|think so)|dunno|idk|no idea"
    r"|(?:yo )?(?:creo|pienso|me parece) que no|la verdad(?: es)?,? (?:que )?no|para nada|qu[eé] va"
    r"|no (?:mucho|del todo|est(?:oy|á) segur[oa])"
    r"|no s[eé]|non+|pas vraiment|(?:je )?(?:ne )?sais pas|nein|n[oö]|nicht wirklich|weiß nicht|n[aã]o|mica"
    r"|tidak|ng?gak?|enggak|ga+k?|belum|nahi+n?|na)(?!\w|'|’)"
)
_NO_SUCH = _words(
    r"\bnever ?mind\b|\bno (?:one|worries|problem|thanks|thank|need|more)\b|\bi(?:['’]?m| am) (?:ok|safe|fine)\b"
)
_TO_AN_OFFER = _words(r"\b(?:please|thanks|thank you|let['’]?s|go on|go ahead|por favor|gracias|bitte|danke|merci)\b")


def says_yes(text: str) -> bool:
    """Yes, maybe or sometimes; a `yes please` takes an offer and answers nothing."""
    said = text.casefold()
    return len(said) <= _SHORT and bool(_YES.match(said)) and not _TO_AN_OFFER.search(said)


def says_no(text: str) -> bool:
    """No, not really, or not knowing."""
    said = text.casefold()
    return len(said) <= _SHORT and bool(_NO.match(said)) and not _NO_SUCH.search(said)


_DEFLECTS = _words(
    r"^\W*(?:why|what|who|how|does|do|can|could|define|depends|is that|none of|next|pass|skip|whatever|no comment)\b",
    r"^\W*(?:stop asking|let['’]?s not"
    r"|i (?:don['’]?t|do not|won['’]?t|can['’]?t) (?:want to )?(?:say|answer|talk|tell))",
    r"\brather not\b|\b(?:por qu[eé]|pourquoi|warum|perch[eé]|porque|kenapa|kyu?n)\b",
)


def deflects(text: str) -> bool:
    """Neither yes nor no: asks back, or leaves the question."""
    return len(text) <= _BARE and bool(_DEFLECTS.search(text.casefold()))


_SHRUGS = re.compile(r"\W*(?:and |so )?(?:does|do) (?:it|that|this|any of it|i) (?:even |really |still )?matter\W*")


def shrugs(text: str) -> bool:
    """`Does it matter`: asks back, and asks for nothing."""
    return bool(_SHRUGS.fullmatch(text.casefold()))


_MEANS = _words(r"\b(?:pills?|tablets?|medicines?|rope|noose|gun|pistol|rifle|knife|blades?|razors?)\b")
_AT_HAND = _words(
    r"\b(?:here|beside|next to|with me|in (?:my )?(?:hands?|lap|pocket)|in front|on the bed|table|ready)\b"
)
_OUT_OF_REACH = _words(
    r"\b(?:not?|never|nobody|away|gone|locked|flushed|gave|given|threw|thrown|returned|back|drawer|safe|he|she|they)\b"
)


def has_means(text: str) -> bool:
    """A short message that says that a means is there, in any glossed language: `ja, die Tabletten liegen hier`."""
    if len(text) > 2 * _BARE:  # so long that no wording of it is short
        return False
    said = (gloss.english(text) or text).casefold()
    if len(said) > _BARE or not _MEANS.search(said):
        return False
    return bool(_AT_HAND.search(said)) and not _OUT_OF_REACH.search(said)


# -- taking back, meaning it, being the one it is about --------------------------------------------------------------

_TAKES_BACK = _words(
    r"\b(?:just |only )?(?:kidding|joking)\b|\bjk\b|\bl(?:ol|mao+)\b|\bwas a joke\b|\bhaha",
    r"\bdid(?:n['’]?| no)t mean (?:it|that|any|to)|\b(?:came out|said it) wrong\b|\bover ?react",
    r"\b(?:forget|ignore|drop|scratch|disregard) (?:it|that|this|me|i|what|everything)\b|\bnever ?mind\b",
    r"\bdon['’]?t worry\b|\b(?:take|delete) (?:that|it) back\b",
    r"\b(?:era|es) (?:una )?broma\b|\bolv[ií]da",
    r"\bje (?:rigole|plaisante)|\boublie",
    r"\b(?:nur|war) (?:ein )?(?:spa(?:ß|ss)|scherz)|\bvergiss|\balles gut\b",
    r"\bbrincadeira|\besquece|\bscherz|\blascia (?:stare|perdere)|\bbercanda|\blupakan|\bmaz+a+[kq]\b",
)
_SAYS_FINE = _words(
    r"\b(?:i['’]?m|i am|im|all|it['’]?s) (?:\w+ )?(?:fine|ok|okay|good|alright|safe)\b",
    r"\bestoy bien\b|\b[cç]a va\b|\bmir geht(?:['’]?s| es)? gut\b|\bt[oô] bem\b",
    r"\bsto bene\b|\bbaik[- ]baik\b|\btheek h",
)
_MEANS_IT = _words(
    r"\bi (?:still|really|do|did) mean\b|\bi meant (?:it|what|that|every)\b(?! as)",
    r"\bwhat i (?:said|wrote|told you)\b.{0,25}\b(?:true|stands|still|holds|real|meant)\b",
    r"\bstill (?:true|feel (?:it|that|the same|like that|this way)|(?:thinking|think) (?:about|of) it)\b",
    r"\bstill want (?:it|to(?: do it| die| go through.*| go)?)\W*$|\bstill going to do it\b",
    r"\bhas(?:n['’]?| no)t gone(?: away)?\b|\b(?:not|haven['’]?t) changed my mind\b",
    r"\b(?:not|wasn['’]?t) (?:joking|kidding)",
    r"\bi (?:lied|was lying)\b.{0,40}\b(?:ok|okay|fine|better|safe|good|joking|kidding)\b",
    r"\bnot (?:really )?(?:fine|ok)\b",
    r"\b(?:the feeling|that feeling|it)(?:['’]?s| is) back\b",
    r"\b(?:lo dije|iba) en serio\b|\bsigo (?:queriendo|pensando)|\bje (?:le pense|suis) (?:toujours|s[eé]rieu)",
    r"\bmein(?:e|te) es ernst\b|\bfalei s[eé]rio\b|\bsul serio\b|\b(?:aku|saya) serius\b",
)
_NO_OTHER = (
    r"(?:friend|mate|flatmate|roommate|brother|sister|cousin|colleague|neighbour|someone|somebody|person|guy|girl|"
    r"bloke|woman|man|lad|buddy|he|she|they|amig[oa]|amie?|freund(?:in)?)"
)
_IS_ONESELF = _words(
    r"(?:^|[.,;!?\n])\W*(?:\w+ )?(?:it['’]?s|it is|that['’]?s|it was|its) (?:\w+ )?(?:me|myself)(?: \w{2,8})?\W*$",
    rf"\bthere(?:['’]?s| is| was| never was| isn['’]?t)(?: no| any| an?)? {_NO_OTHER}\W*(?:$|[.,;!?]|it)",
    rf"\bi(?:['’]?m| am| was) (?:the|that|this) {_NO_OTHER}\b",
    r"\bi (?:mean|meant|was talking about|am talking about) (?:me|my)",
    rf"\b{_NO_OTHER} (?:is|was) (?:me|i)\b|\bstop saying {_NO_OTHER}\b|\bmade (?:the|my|that) {_NO_OTHER} up\b",
    r"^\W*(?:\w+ )?(?:soy yo|c['’]est moi|ich bin(?:['’]?s| es)?(?: selbst)?"
    r"|sou eu|sono io|(?:itu|sebenarnya) aku)\W*$",
)


def takes_back(text: str) -> bool:
    """A denial, a joke about it, a wish that it be forgotten."""
    return bool(_TAKES_BACK.search(text.casefold()))


def only_says_fine(text: str) -> bool:
    """`I'm fine` and little else."""
    return len(text.split()) <= 6 and bool(_SAYS_FINE.search(text.casefold()))


_SEE, _TO_THE_END = r"\bsee (?:you|u|ya) (?:(?:on|next) )?", r"(?: (?:morning|evening|night))?\W*$"
_DAYS = r"mon|tues|wednes|thurs|fri|satur|sun"
_SEE_YOU = re.compile(rf"{_SEE}(?:soon|later|tomorrow|tonight|then|there|again|week|{_DAYS})(?:day)?{_TO_THE_END}")
_MEETS_AGAIN = re.compile(rf"{_SEE}(?:week|(?:{_DAYS})day){_TO_THE_END}")


def meets_again(text: str) -> bool:
    """A short message that ends with the day on which its writer will be there: `see you thursday`."""
    return len(text.split()) <= _REASSURING and bool(_MEETS_AGAIN.search(text.casefold()))


def reassures(text: str) -> bool:
    """Says to be fine or safe, to come again, or takes back what was said, and has no room for much else."""
    plain = text.casefold()
    fine = _SAYS_FINE.search(plain) or _SEE_YOU.search(plain)
    return len(text.split()) <= _REASSURING and (bool(fine) or takes_back(text))


def means_it(text: str) -> bool:
    """Says that what stood before still holds."""
    return bool(_MEANS_IT.search(text.casefold())) and not re.search(
        r"\b(?:as a joke|didn['’]?t mean)\b", text.casefold()
    )


def is_oneself(text: str) -> bool:
    """`OK, it's me`, after a friend was spoken of."""
    return bool(_IS_ONESELF.search(text.casefold()))


# -- steps to safety -------------------------------------------------------------------------------------------------

_THING = r"(?:it|them|that|this|those|everything|the \w+(?: \w+)?|my \w+|all of (?:it|them))"
_STEP = _words(
    rf"\b(?:i|i['’]ve|ive|we) (?:just |have |did |already )?(?:(?:put|locked|moved) {_THING} (?:away|up|down|back)"
    rf"|(?:threw|thrown|flushed) {_THING} (?:away|out|down))\b",
    rf"\b(?:gave|given|handed|left) {_THING} (?:to|with) (?:my|the|a|our|him|her|them|somebody|someone)\b",
    r"\b(?:i|i['’]ve|ive|we|he|she|they)(?:['’]?s| has| have)? (?:just |did )?"
    r"(?:called|rang|rung|phoned|dialled|texted)"
    r" (?:them|\d{3,5}|for help|the \w+(?: \w+)?|an ambulance|my \w+|him|her|somebody|someone)\b",
    r"\b(?:ambulance|paramedics?|police|medics|doctor|nurse)(?:['’]?s| is| are| has| have)?"
    r" (?:just )?(?:here|arrived|with me|come)\b",
    r"\b(?:i['’]?m|i am|we['’]?re|we are) (?:in|at) (?:the )?"
    r"(?:hospital|a&e|er|emergency room|ambulance|ward|clinic)\b",
    r"\b(?:i|i['’]ve|ive)(?: just| have)? (?:climbed|stepped|came|come|got|walked|moved)"
    r" (?:back|down|off|away|inside)\b",
    r"\b(?:my|our) \w+(?:['’]?s| is| has| are) (?:\w+ )?"
    r"(?:here(?: with me| now)?|with me|arrived|beside me|holding me|come over)\b",
    r"\b(?:ya )?(?:llam[eé]|lo guard[eé])\b|\bla ambulancia (?:est[aá]|lleg[oó])",
    r"\bj['’]ai (?:appel[eé]|rang[eé])|\bl['’]ambulance est l[aà]",
    r"\b(?:habe|hab) (?:sie |es |alles )?(?:angerufen|weggelegt|weggesperrt)\b|\bkrankenwagen ist da\b",
    r"\bambul[aâ]ncia chegou\b",
)
_NO_STEP = _words(
    r"\bbut\b.{0,40}\b(?:no ?body|no one|didn['’]?t|not|still|can get|know where|back out|hung up|again)\b",
    r"\b(?:almost|nearly|didn['’]?t|haven['’]?t|never|can['’]?t|won['’]?t|not|should have|could have|isn['’]?t|if i)\b",
    r"\bgood ?bye\b|\bsorry\b|\?\s*$|\bhung up\b|\bno ?(?:body|one) (?:answer|pick|came)",
)


def tells_step(text: str) -> bool:
    """Says that something was done that makes one safer: put away, given away, called, gone back, not alone."""
    said = text.casefold()
    return bool(_STEP.search(said)) and not _NO_STEP.search(said)


# -- questions about a way -------------------------------------------------------------------------------------------

_BEST = r"(?:quick(?:est)?|fast(?:est)?|gentl(?:e|est)|eas(?:y|iest)|painless|sur(?:e|est)|(?:most|least) \w+)"
_BARE_QUESTION = re.compile(
    r"\W*(?:(?:ok|okay|and|but|so|just|also|um|hey|btw|well|still|tell me|just tell me)\W+)*(?:"
    r"how long (?:does|would|will|do) (?:it|that|they|you) (?:take|last|hurt|need)(?: to (?:work|kick in))?"
    rf"|(?:which|what)(?: one| way| method| of them)?(?:['’]?s| is| would be)?"
    rf" (?:the )?{_BEST}(?: one| way| method)?"
    rf"|what(?:['’]?s| is) the {_BEST}(?: one| way| method)"
    r"|(?:does|would|will|is) (?:it|that|this) (?:be )?(?:hurt|painful|quick|slow|work|peaceful|painless|enough)"
    r"|how (?:many|much)(?: of (?:them|it))?(?: (?:would|do|does|will) (?:it|you|i|one) (?:take|need))?(?: to take)?"
    r"|how (?:many|much) (?:is|are) (?:enough|too (?:many|much))"
    r"|(?:would|will|is|are) (?:that|it|they|this|all of (?:it|them)|the whole \w+)(?: be)? enough"
    r"|how (?:high|tall|deep|far|fast)(?: (?:does|would|must) (?:it|that) (?:need to |have to )?be| is enough)?"
    r"|cu[aá]l es (?:la|el|lo) m[aá]s (?:r[aá]pid[oa]|f[aá]cil)|cu[aá]nto (?:tarda|dura)|duele"
    r"|combien de temps(?: [cç]a prend| faut-il)?|[cç]a fait mal|le(?:quel| plus rapide).*"
    r"|wie lange dauert (?:es|das)|tut (?:es|das) weh|(?:was|wie) (?:geht|ist) (?:es )?am schnellsten"
    r"|quanto tempo (?:leva|demora|ci vuole)|d[oó]i|fa male|qual [eéè] (?:o|il) (?:mais|pi[uù]) \w+"
    r"|berapa lama|sakit (?:ng?gak?|tidak)|kitna (?:time|samay) lagega|dard hota hai(?: kya)?"
    r")(?:\W+(?:though|then|lol|anyway|usually|really|roughly|exactly|please|just curious))*\W*"
)
_MEDICINE = (
    r"(?:pills?|tablets?|capsules?|meds|medication|medicine|insulin|paracetamol|acetaminophen|ibuprofen|painkillers|"
    r"sleeping pills|antidepressants|benzos|pastillas|tabletten|cachets|comprimidos)"
)
_HIGH = r"(?:floor|stor(?:e?y|ies)|bridge|roof|cliff|drop|window|balcony|tower|building|car park)"
_PLAIN_QUESTION = _words(
    rf"\b(?:how (?:many|much)|cu[aá]nt[oa]s?)\b.{{0,20}}\b{_MEDICINE}\b",
    rf"\b{_MEDICINE}\b.{{0,25}}\b(?:enough|too many|lethal|fatal|at once)\b",
    rf"\b{_HIGH}s?\b.{{0,15}}\b(?:high|tall|far|deep) enough\b|\bhow (?:high|tall|far|deep)\b.{{0,20}}\b{_HIGH}\b",
    rf"\b(?:what|which|how many) {_HIGH}s?\b.{{0,20}}\b(?:enough|high|need)",
    rf"\b{_BEST} way (?:to (?:go|die|do it|end)\b|out\b)|\b(?:lethal|fatal) (?:dose|amount)\b",
)


def asks_plainly(text: str) -> bool:
    """Asks about an amount of medicine, a height or a way to go."""
    return bool(_PLAIN_QUESTION.search(text.casefold()))


def asks_barely(text: str) -> bool:
    """`how long does it take`: a question that says nothing of its subject."""
    return len(text) <= _BARE and any(_BARE_QUESTION.fullmatch(part) for part in _clauses(text.casefold()))


def _clauses(text: str) -> Iterator[str]:
    return (part for part in re.split(r"[.?!¿¡,;\n]+", text) if part.strip())
