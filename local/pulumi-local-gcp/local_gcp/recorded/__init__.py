"""Resources that have nothing to do on a laptop: checked, recorded, with realistic outputs."""
