"""What our pages share: no network, no script but ours, one set of colours, small pictures.

`markup` writes the head and makes data safe to stand in HTML, `thumbnail` makes
small pictures, `base.css` names the colours, light and dark, and `nodes.js`
makes the nodes of a page.
"""
