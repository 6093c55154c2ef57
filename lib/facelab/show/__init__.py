"""What a learner sees: figures, curves that grow while a net trains, and labs with sliders."""
