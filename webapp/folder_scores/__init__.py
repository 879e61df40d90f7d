"""The page that scores a whole folder: where files come from, the work, and its drawing."""
