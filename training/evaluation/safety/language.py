"""Which language a labelled line is in, by a light guess: only for the table of recall by language.

Lines of the kind `multilingual` are guessed by script and by frequent short words; all others count as English.
"""

import re

_WORDS = {
    "es": "que de no la el en y me mi los las un una por para con ya pero estoy quiero como más muy todo nada soy esta",
    "fr": "que de je ne pas le la les et un une mon ma mes pour avec plus mais suis est ça tout rien dans j'ai c'est",
    "de": "ich nicht und der die das ist mein meine mich mir zu es ein eine auf mit noch mehr habe bin wie aber kein",
    "pt": "que de não nao eu o a os e um uma meu minha para com já mas estou quero como mais muito tudo nada sou você",
    "it": "che di non il la e un una mi mio mia per con più ma sono come tutto niente ho voglio anche questo gli della",
    "hi": "hai nahi main mai mujhe mera meri ki ka ke ko se aur kya kar raha rahi hoon hu bhi ab yaar toh koi sab mein",
    "id": "aku saya tidak gak nggak mau yang dan ini itu sudah udah di ke dari untuk dengan kamu lagi aja banget bisa",
}
_SETS = {name: frozenset(words.split()) for name, words in _WORDS.items()}
OTHER = "other"


def language_of(text: str, kind: str) -> str:
    """A two-letter code, or `other` where nothing speaks for one."""
    if kind != "multilingual":
        return "en"
    letters = [character for character in text if character.isalpha()]
    if letters and sum(ord(letter) > 0x24F for letter in letters) > len(letters) / 2:
        return OTHER
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.casefold().replace("’", "'"))
    counts = {name: sum(word in known for word in words) for name, known in _SETS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else OTHER
