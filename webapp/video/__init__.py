"""The video page: a file in, an annotated copy, a timeline and numbers out."""
