"""One HTML file to look at prepared pictures with their boxes and words.

`draw` picks the samples, `thumbnail` makes small pictures of them, `entry` is
what the page knows of each, and `page` puts it all into one file.
"""
