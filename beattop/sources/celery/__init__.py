"""Files and descriptors that tell the truth about a beat, and its last words."""
