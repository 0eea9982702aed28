"""Boxes to patches: which patch a vision transformer sees a thing in.

`grid` numbers the patches and holds VLE's published rule, `view` maps stored
pixels to model input, `coverage` says how much of each patch a box covers, and
`mpc` and `pbc` make training targets of it.

Everything starts from the pixel matrix *as stored*, the frame of the boxes in
our shards. A reader that turns pictures by their EXIF orientation has another
frame (`vle_bench.boxes.shown_size`) and must turn the boxes too (`to_shown`
there), before they come here.
"""
