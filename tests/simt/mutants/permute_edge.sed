# Tiles at the edge write beyond it.
# in permute.cu, compile permute.cu, plain, --only permute
s/if (row0 + r < a.rows \&\& column0 + lane < a.columns)/if (row0 + r < a.rows)/
