"""What results are for: the phrase that every file, figure and panel carries."""

RESEARCH_USE = "for research use, not for diagnosis"
RESEARCH_USE_SENTENCE = "For research use, not for diagnosis."


def header_text(text: str) -> str:
    """Put the purpose before what a file's header says: a header that is too long is cut."""
    return f"For research use, {text}"


MARKS_TEXT = header_text("marks where a super-resolved image may be wrong")
