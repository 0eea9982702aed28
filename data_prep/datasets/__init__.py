"""One file per dataset: what its raw files say of each picture.

Adding one costs a file here, a manifest, a fixture and a line in `registry`.
"""
