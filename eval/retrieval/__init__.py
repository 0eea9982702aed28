"""Image-text retrieval: i2t asks with a picture for texts, t2i with a text for pictures."""
