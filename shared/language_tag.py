"""The form of a language tag (BCP 47), such as en, pt-BR or zh-Hant."""

from typing import Final

#: A language and up to three subtags; the tables have a constraint of this form, too.
FORM: Final = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"
