"""The printer's texts in the languages it has: keywords, states and reasons as people read them (printer-strings-uri, PWG 5100.13).

A language is a module with TEXT in the strings format that the attribute's files have: lines `"attribute.keyword" = "text";`.  Loaded when
somebody asks for it.
"""

from hal.compat import seldom


def load(language):
    """All texts of one of languages.LANGUAGES."""
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
