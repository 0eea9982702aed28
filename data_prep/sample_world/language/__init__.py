"""Everything the sample world says about its pictures: questions, captions, choices."""
