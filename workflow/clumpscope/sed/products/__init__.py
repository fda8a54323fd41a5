"""Tables, files and pictures of fits."""
