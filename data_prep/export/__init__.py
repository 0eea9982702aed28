"""Prepared shards in the file formats of other people's training code.

`place` makes an export appear whole or not at all; `chinese_clip`, `arrow` and
`img2dataset` write one format each. Pictures are copied byte by byte, never
encoded again.
"""
