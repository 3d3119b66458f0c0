"""Resources without an effect on a laptop: checked and recorded, with realistic outputs."""
