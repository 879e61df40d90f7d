"""The views of the results page: each draws one question's answer from run folders."""
