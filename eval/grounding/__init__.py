"""Grounding: does the model look where the words point, and know what it sees there?"""
