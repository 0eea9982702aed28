"""One HTML file to look at prepared pictures with their boxes and words.

`draw` picks the samples, `entry` is what the page knows of each, and `page`
puts it all into one file, with small pictures by `vle_bench.pages`.
"""
