"""The rebuilt systems, one room each: networks, losses and the step that trains them, behind the same six names."""

SYSTEMS = ("oagan", "mask_removal", "frontalize", "vis2nir", "hog_inpaint")
"""Their names, in the order of the lessons."""
