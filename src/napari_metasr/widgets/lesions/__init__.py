"""The lesion dock: detect, correct and visit lesions."""
