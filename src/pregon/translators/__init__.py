"""Machine translation, off unless configured. What comes from here is marked until a person has confirmed it."""

from pregon.translators.deepl import DeepL
from pregon.translators.libretranslate import LibreTranslate

__all__ = ["DeepL", "LibreTranslate"]
