"""Downloads: official archives with resume and checksum, and the web pictures of CC3M and SBU.

The only part of the package that touches the network. What it puts below RAW is read by
`vle-prep run` as it lies. Needs the extra `fetch` (httpx and its httpcore).
"""
