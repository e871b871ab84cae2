"""What results are for: the phrase that every file, figure and panel carries."""

RESEARCH_USE = "for research use, not for diagnosis"
RESEARCH_USE_SENTENCE = "For research use, not for diagnosis."
