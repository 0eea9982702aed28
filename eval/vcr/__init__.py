"""VCR: is the answer right, is the reason right, are both?"""
