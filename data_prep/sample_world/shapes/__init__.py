"""How everything in the sample world looks: outlines, colours, figures."""
