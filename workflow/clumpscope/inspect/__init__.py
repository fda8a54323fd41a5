"""Pages on which a person looks at every galaxy, and corrects what was taken for a clump.

They are files that a browser opens from disk: what a page shows lies beside it as a script that sets a variable, because
browsers let pages from disk read nothing else. Nothing of a table becomes markup or code: it is written by `pages.script`, and
put into the page as text.
"""
