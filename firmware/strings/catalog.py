"""The printer's texts in the languages it has: keywords, states and reasons as people read them (printer-strings-uri, PWG 5100.13).

A language is a module with TEXT in the strings format that the attribute's files have: lines `"attribute.keyword" = "text";`.  Loaded when
somebody asks for it; `LANGUAGES` are those there are, the first for whoever wants another one.
"""

from hal.compat import seldom

LANGUAGES = ("en", "de", "fr", "es", "ja")


def nearest(asked):
    """One of LANGUAGES for a naturalLanguage (str) as "de-at"."""
    wanted = asked.lower().split("-")[0]
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


def load(language):
    """All of a language's texts."""
    return seldom("firmware.strings." + language, "TEXT")


def word(texts, key):
    """The text of a key; without one, its keyword in words."""
    start = texts.find('"%s" = "' % key)
    if start < 0:
        keyword = key[key.find(".") + 1 :]
        for suffix in ("-error", "-warning", "-report"):
            if keyword.endswith(suffix):
                return word(texts, key[: -len(suffix)])
        return keyword.replace("-", " ")
    start += len(key) + 6
    end = texts.find('";\n', start)
    return texts[start:end].replace('\\"', '"')
